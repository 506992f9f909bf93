"""Deadlines from a start and a period: hours elapse; days and months end at 24:00 where the entity is.

Rules: clocks.yaml, `computation`, and law.md 0.5.16 of the project's reference. Nothing is extended for weekends or
holidays: the earlier date is the safe one.
"""

import calendar
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from ringfence.incidents.terms import Period, Unit


@dataclass(frozen=True, slots=True)
class Where:
    """Whose calendar counts: the zone in which the day of the start is read, and the one whose midnight ends a day."""

    reads: tzinfo
    ends: tzinfo


Places = tuple[Where, ...]  # where several Member States have jurisdiction, the earliest of their deadlines drives

# Where the Member State is not known: the westernmost date of the Union and its easternmost midnight, in summer time.
# No zone of the Union gives an earlier deadline, whatever clock change lies between.
EVERYWHERE: Places = (Where(UTC, timezone(timedelta(hours=3))),)


@cache
def where(jurisdiction: str) -> Places:
    """Return the time zones of the capitals of Member States, joined by commas; the safe reading if one is unknown."""
    try:
        zones = [ZoneInfo(_capitals()[code]) for code in jurisdiction.split(",")]
    except (KeyError, OSError):  # no such state, or no time-zone database on this machine: plan with the earlier date
        return EVERYWHERE
    return tuple(Where(zone, zone) for zone in zones)


@cache
def _capitals() -> dict[str, str]:
    text = resources.files("ringfence.incidents").joinpath("data", "zones.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def due(start: datetime, period: Period, places: Places) -> datetime:
    """Return the last instant, in UTC, at which an act is in time at each of the places."""
    return min(_due(start, period, place) for place in places)


def _due(start: datetime, period: Period, place: Where) -> datetime:
    day = start.astimezone(place.reads).date()
    match period.unit:
        case Unit.HOURS:
            return start.astimezone(UTC) + timedelta(hours=period.value)
        case Unit.DAYS:
            return _end_of(day + timedelta(days=period.value), place.ends)
        case Unit.MONTHS:
            return _end_of(_months_after(day, period.value), place.ends)


def _months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _end_of(day: date, zone: tzinfo) -> datetime:
    # 24:00 is the next day's midnight; where a clock change removes it, Python takes the offset before the change.
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
