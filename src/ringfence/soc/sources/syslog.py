"""Frames of log lines: RFC 3164 without a year, its variant with ISO timestamps, RFC 5424, and a bare timestamp."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
BACKWARDS = 31  # days: how far a line without a year may lie before its predecessor and still be of the same year
_OLD = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)")
_FRACTION = re.compile(r"[.,](\d{1,9})")
_PRIORITY = re.compile(r"<\d{1,3}>")
_VERSION = re.compile(r"<\d{1,3}>1 ")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")
_LINE = re.compile(  # a time, then host and program if they are there; one match a line, since every line pays for it
    r"([A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
    r"(?:\Z| (?:"  # a host does not end with a colon: that would be the first word of a message
    r"([A-Za-z0-9][A-Za-z0-9._:-]{0,253}+(?<!:)) ([A-Za-z0-9_./()-]{1,64}+)(?:\[(\d{1,10})\])?: ?)?)"
)
_ELEMENT = re.compile(r'\[[^ \]"]{1,64}(?: [^ =\]"]{1,64}="(?:[^"\\]|\\.)*")*\]')


class Frame(NamedTuple):
    """A line taken apart; host and program are empty where the line has none."""

    at: datetime
    host: str
    program: str
    pid: str
    message: str


@dataclass(slots=True)
class Calendar:
    """Gives years to timestamps that have none, by their order: December is followed by January of the next year.

    `offset` counts the turns of the year from the first line on, so that a first pass can find how many there are.
    """

    base: int = 2000
    offset: int = 0
    _last: tuple[int, int] | None = field(default=None)

    @property
    def used(self) -> bool:
        """Say whether any timestamp without a year was seen."""
        return self._last is not None

    def year(self, month: int, day: int) -> int:
        """Return the year of the next timestamp."""
        now = month * 31 + day
        last, self._last = self._last, (month, day)
        if last is None:
            return self.base + self.offset
        moved = now - (last[0] * 31 + last[1])
        if moved < -BACKWARDS:
            self.offset += 1
        elif moved > 372 - BACKWARDS and self.offset:
            self._last = last  # 31 December told after 1 January: late, not eleven months of silence
            return self.base + self.offset - 1
        return self.base + self.offset


@dataclass(slots=True)
class Frames:
    """Takes lines apart, in order; remembers the last timestamp, since neighbours mostly share it."""

    calendar: Calendar = field(default_factory=Calendar)
    _stamp: str = ""
    _at: datetime | None = None

    def parse(self, line: str) -> Frame | None:
        """Return the frame of a line, or None where there is no time in it that exists."""
        if line.startswith("<"):
            if _VERSION.match(line):
                return self._numbered(line)
            line = _PRIORITY.sub("", line, count=1)
        found = _LINE.match(line)
        if found is None:
            return None
        stamp, host, program, pid = found.groups("")
        at = self._at if stamp == self._stamp else self._moved_on(stamp)
        return Frame(at, host, program, pid, line[found.end() :]) if at is not None else None

    def time(self, line: str) -> datetime | None:
        """Return the time at the start of a line without a version, for a first pass."""
        found = _LINE.match(_PRIORITY.sub("", line, count=1))
        if found is None:
            return None
        return self._at if found[1] == self._stamp else self._moved_on(found[1])

    def _moved_on(self, stamp: str) -> datetime | None:
        """Read another timestamp than the last, and remember it if that time exists."""
        old = _OLD.match(stamp)
        at = self._old(old) if old else iso(stamp)
        if at is not None:
            self._stamp, self._at = stamp, at
        return at

    def _old(self, found: re.Match[str]) -> datetime | None:
        month = MONTHS.get(found[1])
        if month is None:
            return None
        day, hour, minute, second = (int(found[group]) for group in (2, 3, 4, 5))
        if not 1 <= day <= 31:
            return None
        try:
            return datetime(self.calendar.year(month, day), month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            return None

    def _numbered(self, line: str) -> Frame | None:
        """Take an RFC 5424 line apart; the escapes of its structured data are respected, then skipped."""
        parts = line.split(" ", 6)
        if len(parts) < 7:
            return None
        at = iso(parts[1])
        rest = parts[6].removeprefix("-")
        while found := _ELEMENT.match(rest):
            rest = rest[found.end() :]
        if at is None or rest[:1] not in {"", " "}:
            return None
        host, program, pid = ("" if part == "-" else part for part in parts[2:5])
        return Frame(at, host if _HOST.fullmatch(host) else "", program, pid, rest[1:].removeprefix("\ufeff"))


def iso(text: str) -> datetime | None:
    """Read an RFC 3339 time, with up to nine digits of fraction; without a zone it is taken as UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is UTC else _in_utc(at)
    except (ValueError, OverflowError):
        return _odd(text)


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _odd(text: str) -> datetime | None:
    """Read a time whose fraction is longer or shorter than Python takes."""
    trimmed = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), text, count=1)
    try:
        return _in_utc(datetime.fromisoformat(trimmed))
    except (ValueError, OverflowError):
        return None


def newest_year(base: int, latest: datetime, now: datetime) -> int:
    """Return the newest year of the first line for which no line lies in the future.

    Args:
        base: the year that a pass over all lines began with.
        latest: the latest time that this pass gave.
        now: the time of reading; a day of grace covers zones, since the lines name none.
    """
    for year in range(now.year, now.year - 400, -1):
        moved = _moved(latest, year - base)
        if moved is not None and moved <= now + timedelta(days=1):
            return year
    return now.year


def _moved(at: datetime, years: int) -> datetime | None:
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return None
