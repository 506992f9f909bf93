"""A file of log lines: what it says, and which findings our rules make of it; nothing is kept and nobody is cut off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from ringfence.soc.detection.correlate import Counters, Limits
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.rule import RuleSet
from ringfence.soc.model import Event, Finding
from ringfence.soc.sources.lines import LineReader
from ringfence.soc.sources.logs import log_of
from ringfence.soc.sources.syslog import Calendar, Frames, newest_year

FIRST_BASE = 2000  # of the first pass: a leap year, so that each date exists
MAX_FINDINGS = 100_000
BATCH = 512  # events


@dataclass(slots=True)
class Summary:
    """What a run over a file found.

    Attributes:
        findings: the newest state of each, in order of their beginning.
        dropped: findings beyond what one run holds.
        left_out: what the correlations had no room or no time for.
    """

    lines: int = 0
    parsed: int = 0
    events: int = 0
    foreign: int = 0
    cut: int = 0
    dropped: int = 0
    unparsed: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: Counters = field(default_factory=Counters)

    def document(self) -> dict[str, object]:
        """Return the summary as the command prints it."""
        return {
            "lines": self.lines,
            "parsed": self.parsed,
            "findings": [
                {
                    "rule": each.rule,
                    "subject": each.subject,
                    "source": each.source,
                    "first_seen": utc(each.first_seen),
                    "last_seen": utc(each.last_seen),
                    "count": each.count,
                }
                for each in self.findings
            ],
        }


def utc(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC, with milliseconds only where there are any."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def first_year(chunks: Iterable[bytes], now: datetime) -> int | None:
    """Return the newest year of the first line such that no line lies in the future; None if all lines name a year."""
    frames = Frames(Calendar(FIRST_BASE))
    latest: datetime | None = None
    for line in LineReader().read(chunks):
        if not line[:1].isalpha() and not line.startswith("<"):
            continue  # a year is in front
        at = frames.time(line)
        if at is not None and frames.calendar.used and (latest is None or at > latest):
            latest = at
    return newest_year(FIRST_BASE, latest, now) if latest is not None else None


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield events some hundreds at a time: reading many and then judging them costs a quarter less than by turns."""
    source = iter(events)
    while batch := list(islice(source, BATCH)):
        yield batch


@dataclass(slots=True)
class Ingest:
    """One run: lines in, a summary out; `seen` tells how far it is."""

    rules: RuleSet
    source: str
    node: str | None
    year: int
    now: datetime
    limits: Limits = field(default_factory=Limits)
    seen: int = 0

    def run(self, chunks: Iterable[bytes]) -> Summary:
        """Read everything and return what was found."""
        reader = LineReader()
        log = log_of(self.source, self.node, Frames(Calendar(self.year)))
        detector = Detector(self.rules, self.limits)
        summary = Summary()
        newest: dict[str, Finding] = {}
        events = (
            event for line in reader.read(self._counted(chunks)) if (event := log.read(line, self.now)) is not None
        )
        for batch in batches(events):
            summary.events += len(batch)
            for finding in (finding for event in batch for finding in detector.feed(event)):
                if finding.id in newest or len(newest) < MAX_FINDINGS:
                    newest[finding.id] = finding
                else:
                    summary.dropped += 1
        summary.lines, summary.parsed, summary.foreign = log.lines, log.parsed, log.foreign
        summary.cut, summary.unparsed, summary.left_out = reader.cut, log.unparsed, detector.counters()
        summary.findings = sorted(
            newest.values(), key=lambda each: (each.first_seen, each.rule, each.subject, each.source)
        )
        return summary

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.seen += len(chunk)
            yield chunk
