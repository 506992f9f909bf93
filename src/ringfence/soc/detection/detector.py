"""The detector: an event in, the findings that it opens or extends out; nothing here reads a clock."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.attempts import Attempts
from ringfence.soc.detection.book import Book, Open, micros, restored
from ringfence.soc.detection.correlate import Correlator, Counters, Entry, Key, Limits
from ringfence.soc.detection.prefilter import Prefilter
from ringfence.soc.detection.routing import routed
from ringfence.soc.detection.rule import About, Correlation, Kind, Rule, RuleSet
from ringfence.soc.model import Event, Finding

FORMAT = 2
MAX_DELIVERIES = 65_536


class Detector:
    """Rules over a stream of events: event time, bounded memory, state that survives a restart."""

    def __init__(self, rules: RuleSet, limits: Limits | None = None, *, blocks: bool = False) -> None:
        given = limits or Limits()
        self._routes: dict[str, Prefilter] = routed(rules.rules)
        self._silent = frozenset[str]() if blocks else rules.silent()  # building blocks speak where asked to
        self._correlators = {each.about.name: Correlator(each, given) for each in rules.correlations}
        self._served: dict[str, list[Correlator]] = {}
        for correlator in self._correlators.values():
            for name in dict.fromkeys(correlator.rule.rules):
                self._served.setdefault(name, []).append(correlator)
        self._attempts = Attempts(given.groups)
        self._book = Book()
        self._delivered: OrderedDict[str, None] = OrderedDict()
        self.duplicates = 0

    def matched(self, event: Event) -> Sequence[Rule]:
        """Return the rules over single events that match, without remembering anything."""
        route = self._routes.get(event.source)
        return [] if route is None else route.matching(event.fields, event.raw)

    def feed(self, event: Event) -> list[Finding]:
        """Take one event and return the findings that it opens or extends."""
        rules = self.matched(event)
        if not rules or self._duplicate(event):
            return []
        at = micros(event.at)
        weight = self._attempts.weigh(event, at)
        entry = Entry(at, weight, "", hashlib.sha256(event.raw.encode("utf-8", "surrogateescape")).hexdigest())
        found: dict[str, Open] = {}
        for rule in rules:
            if weight and rule.about.name not in self._silent:
                self._note(rule.about, event, [entry], entry, found)
            self._correlate(rule.about.name, event, entry, found)
        return [each.finding() for each in found.values()]

    def _correlate(self, name: str, event: Event, entry: Entry, found: dict[str, Open]) -> None:
        """Hand a hit to the correlations that the rule serves, and theirs to those that they serve."""
        for correlator in self._served.get(name, ()):
            rule = correlator.rule
            if not entry.weight and rule.kind is Kind.EVENT_COUNT:
                continue  # a line that tells again of a counted attempt may still name a user
            key = _key(correlator, event.fields)
            if key is None:
                continue
            hit = entry
            if rule.kind is not Kind.EVENT_COUNT:
                label = _label(rule, name, event)
                if label is None:
                    continue
                hit = Entry(entry.at, entry.weight, label, entry.digest)
            window = correlator.add(key, hit)
            if window is None or _is_misnamed(rule, name, event):
                continue
            gained = self._note(rule.about, event, window, hit, found)
            completed = Entry(window[-1].at, max(gained, 1), "", entry.digest)
            self._correlate(rule.about.name, event, completed, found)

    def _note(self, about: About, event: Event, window: Any, entry: Entry, found: dict[str, Open]) -> int:
        subject = event.node or str(event.fields.get("actor.user.uid") or event.fields.get("device.hostname", ""))
        source = str(event.fields.get("src_endpoint.uid", ""))
        noted, gained = self._book.note(about, subject, source, window, entry)
        if about.name not in self._silent:
            found[noted.id] = noted
        return gained

    def _duplicate(self, event: Event) -> bool:
        """Say whether this delivery was taken before; only one with an identity can be told from a repetition."""
        uid = event.fields.get("metadata.uid")
        if not uid:
            return False
        known = f"{event.node}\0{uid}"
        if known in self._delivered:
            self.duplicates += 1
            return True
        self._delivered[known] = None
        if len(self._delivered) > MAX_DELIVERIES:
            self._delivered.popitem(last=False)
        return False

    def counters(self) -> Counters:
        """Return what was left out, over all correlations."""
        total = Counters()
        for each in self._correlators.values():
            total.evicted += each.counters.evicted
            total.late += each.counters.late
            total.shortened += each.counters.shortened
        total.evicted += self._attempts.evicted + self._book.evicted
        return total

    def snapshot(self) -> dict[str, object]:
        """Return the whole state as JSON values."""
        return {
            "format": FORMAT,
            "correlations": {name: each.snapshot() for name, each in self._correlators.items()},
            "attempts": self._attempts.snapshot(),
            "findings": self._book.snapshot(),
            "delivered": list(self._delivered),
            "duplicates": self.duplicates,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot; correlations that are not in it begin empty.

        Raises:
            MalformedInput: it is no snapshot of this format.
        """
        if state.get("format") != FORMAT:
            raise MalformedInput(f"a snapshot of the detector has the format {FORMAT}, and this one has not")
        correlations = restored(state, "correlations")
        for name, each in self._correlators.items():
            if name in correlations:
                each.restore(correlations[name])
        self._attempts.restore(restored(state, "attempts"))
        self._book.restore(restored(state, "findings"))
        self._delivered = OrderedDict((str(uid), None) for uid in restored(state, "delivered"))
        self.duplicates = int(restored(state, "duplicates"))


def _key(correlator: Correlator, fields: Mapping[str, object]) -> Key | None:
    """Return the group of an event; an event without one of the fields belongs to none."""
    try:
        found = correlator.group(fields)
    except KeyError:
        return None
    if None in found or "" in found:
        return None
    for value in found:
        if type(value) is not str:
            return tuple(map(str, found))
    return found  # type: ignore[return-value]  # all of them are texts, as was just seen


def _is_misnamed(rule: Correlation, name: str, event: Event) -> bool:
    """Say whether what completes an ordered correlation is an earlier step that came late, of an API key.

    The last step proves who had a key. An attempt before it names whichever key its writer likes.
    """
    return rule.kind is Kind.TEMPORAL_ORDERED and name != rule.rules[-1] and "actor.user.uid" in event.fields


def _label(rule: Correlation, name: str, event: Event) -> str | None:
    if rule.kind is not Kind.VALUE_COUNT:
        return name
    value = event.fields.get(rule.field)
    return None if value is None else str(value)
