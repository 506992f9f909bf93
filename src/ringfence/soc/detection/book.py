"""Open findings: an attack that goes on extends its finding; a new one begins after an hour of quiet."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.correlate import Entry
from ringfence.soc.detection.rule import About
from ringfence.soc.model import Finding, finding_id

QUIET = timedelta(hours=1)
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
class Book:
    """The findings that may still be extended, bounded."""

    limit: int = 10_000
    evicted: int = 0
    _open: OrderedDict[Key, Finding] = field(default_factory=OrderedDict)

    def note(
        self, about: About, subject: str, source: str, window: Sequence[Entry], entry: Entry
    ) -> tuple[Finding, int]:
        """Open or extend a finding by a window that an entry completed; return it and how many events it gained."""
        key = (about.name, subject, source)
        known = self._open.get(key)
        at = moment(entry.at)
        if known is None or not known.first_seen - QUIET <= at <= known.last_seen + QUIET:
            found = _opened(about, subject, source, window)
            gained = found.count
        else:
            found, gained = _extended(known, window, entry)
        self._open[key] = found
        self._open.move_to_end(key)
        while len(self._open) > self.limit:
            self._open.popitem(last=False)
            self.evicted += 1
        return found, gained

    def snapshot(self) -> list[Any]:
        """Return the open findings as JSON values."""
        return [
            [list(key), each.first_seen.isoformat(), each.last_seen.isoformat(), each.count, each.severity,
             list(each.technique), list(each.evidence), each.title]
            for key, each in self._open.items()
        ]  # fmt: skip

    def restore(self, state: Any) -> None:
        """Continue from a snapshot.

        Raises:
            MalformedInput: it is none.
        """
        try:
            findings = [_finding(row) for row in state]
        except (TypeError, ValueError):
            raise MalformedInput("a snapshot of findings does not have its shape") from None
        self._open = OrderedDict(((each.rule, each.subject, each.source), each) for each in findings)


def _finding(row: Any) -> Finding:
    (rule, subject, source), first, last, count, severity, technique, evidence, title = row
    began, ended = datetime.fromisoformat(first), datetime.fromisoformat(last)
    identifier = finding_id(rule, subject, source, began)
    return Finding(
        identifier, rule, subject, source, began, ended, int(count), severity, tuple(technique), tuple(evidence), title
    )


def _opened(about: About, subject: str, source: str, window: Sequence[Entry]) -> Finding:
    first = moment(window[0].at)
    return Finding(
        id=finding_id(about.name, subject, source, first),
        rule=about.name,
        subject=subject,
        source=source,
        first_seen=first,
        last_seen=moment(window[-1].at),
        count=sum(each.weight for each in window),
        severity=about.severity,
        technique=about.technique,
        evidence=_evidence((), window),
        title=about.title,
    )


def _extended(known: Finding, window: Sequence[Entry], entry: Entry) -> tuple[Finding, int]:
    """Add what the finding does not count yet: entries after its end, and this one."""
    end = micros(known.last_seen)
    fresh = [*window[bisect_left(window, (end + 1,)) :]]
    if entry.at <= end:
        fresh.append(entry)
    gained = sum([each.weight for each in fresh])
    found = Finding(  # spelt out: `replace` costs more than the rest of this function
        id=known.id,
        rule=known.rule,
        subject=known.subject,
        source=known.source,
        first_seen=known.first_seen,
        last_seen=known.last_seen if window[-1].at <= end else moment(window[-1].at),
        count=known.count + gained,
        severity=known.severity,
        technique=known.technique,
        evidence=_evidence(known.evidence, fresh),
        title=known.title,
    )
    return found, gained


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
