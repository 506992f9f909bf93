"""Open findings: an attack that goes on extends its finding; a new one begins after an hour of quiet."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.correlate import MICROS, Entry
from ringfence.soc.detection.rule import About
from ringfence.soc.model import Finding, finding_id

QUIET = 3600 * MICROS
MAX_EVIDENCE = 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[str, str, str]  # rule, subject, source


def micros(at: datetime) -> int:
    """Return a time as whole microseconds."""
    return round(at.timestamp() * 1_000_000)  # exact until the year 2255, and thrice as fast as whole numbers


def moment(at: int) -> datetime:
    """Return the time of whole microseconds."""
    return EPOCH + timedelta(microseconds=at)


@dataclass(slots=True)
class Open:
    """A finding that may still be extended, its times in microseconds; those of building blocks are never shown."""

    about: About
    subject: str
    source: str
    id: str
    first: int
    last: int
    count: int
    evidence: tuple[str, ...]

    def finding(self) -> Finding:
        """Return it as it is now."""
        about = self.about
        return Finding(
            id=self.id,
            rule=about.name,
            subject=self.subject,
            source=self.source,
            first_seen=moment(self.first),
            last_seen=moment(self.last),
            count=self.count,
            severity=about.severity,
            technique=about.technique,
            evidence=self.evidence,
            title=about.title,
        )

    def extend(self, window: Sequence[Entry], entry: Entry) -> int:
        """Add what it does not count yet, entries after its end and this one; return how many events that is."""
        fresh = window[bisect_left(window, (self.last + 1,)) :]
        if entry.at <= self.last:
            fresh = [*fresh, entry]
        gained = sum([each.weight for each in fresh])
        self.last = max(self.last, window[-1].at)
        self.count += gained
        self.evidence = _evidence(self.evidence, fresh)
        return gained


@dataclass(slots=True)
class Book:
    """The findings that may still be extended, bounded."""

    limit: int = 10_000
    evicted: int = 0
    _open: OrderedDict[Key, Open] = field(default_factory=OrderedDict)

    def note(self, about: About, subject: str, source: str, window: Sequence[Entry], entry: Entry) -> tuple[Open, int]:
        """Open or extend a finding by a window that an entry completed; return it and how many events it gained."""
        key = (about.name, subject, source)
        known = self._open.get(key)
        if known is not None and known.first - QUIET <= entry.at <= known.last + QUIET:
            self._open.move_to_end(key)
            return known, known.extend(window, entry)
        found = self._open[key] = _opened(about, subject, source, window)
        self._open.move_to_end(key)
        while len(self._open) > self.limit:
            self._open.popitem(last=False)
            self.evicted += 1
        return found, found.count

    def snapshot(self) -> list[Any]:
        """Return the open findings as JSON values."""
        return [
            [list(key), moment(each.first).isoformat(), moment(each.last).isoformat(), each.count, each.about.severity,
             list(each.about.technique), list(each.evidence), each.about.title]
            for key, each in self._open.items()
        ]  # fmt: skip

    def restore(self, state: Any) -> None:
        """Continue from a snapshot.

        Raises:
            MalformedInput: it is none.
        """
        try:
            found = [_restored(row) for row in state]
        except (TypeError, ValueError):
            raise MalformedInput("a snapshot of findings does not have its shape") from None
        self._open = OrderedDict(((each.about.name, each.subject, each.source), each) for each in found)


def _restored(row: Any) -> Open:
    (rule, subject, source), first, last, count, severity, technique, evidence, title = row
    began, ended = datetime.fromisoformat(first), datetime.fromisoformat(last)
    about, identifier = About(rule, title, severity, tuple(technique)), finding_id(rule, subject, source, began)
    return Open(about, subject, source, identifier, micros(began), micros(ended), int(count), tuple(evidence))


def _opened(about: About, subject: str, source: str, window: Sequence[Entry]) -> Open:
    first, count = window[0].at, sum([each.weight for each in window])
    identifier = finding_id(about.name, subject, source, moment(first))
    return Open(about, subject, source, identifier, first, window[-1].at, count, _evidence((), window))


def _evidence(known: tuple[str, ...], entries: Sequence[Entry]) -> tuple[str, ...]:
    room = MAX_EVIDENCE - len(known)
    if room <= 0:
        return known
    return (*known, *[each.digest for each in entries if each.digest][:room])


def restored(state: Mapping[str, Any], name: str) -> Any:
    """Return a part of a snapshot.

    Raises:
        MalformedInput: it is not there.
    """
    if name not in state:
        raise MalformedInput(f"a snapshot of the detector has no {name}")
    return state[name]
