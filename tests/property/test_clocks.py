"""Deadlines against an oracle that counts in another way: by walking over days and scanning for midnight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.incidents import calendar
from ringfence.incidents.terms import Category, Period, Standing, Unit
from ringfence.testing.incidents import TENANT, LabIncidents

ZONES = ("Europe/Berlin", "Europe/Lisbon", "Europe/Helsinki", "Europe/Dublin", "Asia/Nicosia")
JURISDICTIONS = {"Europe/Berlin": "DE", "Europe/Lisbon": "PT", "Europe/Helsinki": "FI", "Europe/Dublin": "IE"}
instants = st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
)
AROUND_CHANGES = [
    datetime(2026, 1, 31, 12, tzinfo=UTC),  # 28 days follow
    datetime(2028, 1, 31, 12, tzinfo=UTC),  # 29 days follow
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),  # the last second before summer time
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # an hour that comes twice
    datetime(2026, 2, 28, 23, 30, tzinfo=UTC),  # March already in Berlin
    datetime(2026, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
]


def month_later(year, month, day):
    """Walk: a month later is the day before the 1st of the month after next, or earlier if the day says so."""
    first = datetime(year, month, 1, tzinfo=UTC)
    while (first.year, first.month) == (year, month):
        first += timedelta(days=1)
    found = first
    for _ in range(day - 1):
        following = found + timedelta(days=1)
        if following.month != first.month:
            return found
        found = following
    return found


def end_of_local_day(year, month, day, zone):
    """Scan backwards for the last millisecond that still has this date there; its successor is 24:00."""
    at = datetime(year, month, day, 12, tzinfo=UTC) + timedelta(hours=40)
    step = timedelta(minutes=15)  # every offset is a multiple of it
    while (at.astimezone(zone).date()) != datetime(year, month, day, tzinfo=UTC).date():
        at -= step
    return at + step


def oracle(start, zone):
    local = start.astimezone(zone)
    later = month_later(local.year, local.month, local.day)
    return end_of_local_day(later.year, later.month, later.day, zone)


def epoch_hours(start, hours):
    return datetime.fromtimestamp(start.timestamp() + hours * 3600, tz=UTC)


def check_month(start, zone_name):
    zone = ZoneInfo(zone_name)
    assert calendar.due(start, Period(1, Unit.MONTHS), (calendar.Where(zone, zone),)) == oracle(start, zone)


def check_hours(start, zone_name):
    zone = ZoneInfo(zone_name)
    for hours in (4, 12, 24, 72):
        assert calendar.due(start, Period(hours, Unit.HOURS), (calendar.Where(zone, zone),)) == epoch_hours(
            start, hours
        )


@given(instants, st.sampled_from(ZONES))
@settings(max_examples=300)
@example(AROUND_CHANGES[0], ZONES[0])
@example(AROUND_CHANGES[1], ZONES[0])
@example(AROUND_CHANGES[2], ZONES[0])
@example(AROUND_CHANGES[3], ZONES[0])
@example(AROUND_CHANGES[4], ZONES[0])
@example(AROUND_CHANGES[5], ZONES[1])
def test_hours_elapse_and_a_month_ends_at_local_midnight(start, zone_name):
    check_month(start, zone_name)
    check_hours(start, zone_name)


@pytest.mark.soak
@given(instants, st.sampled_from(ZONES))
@settings(max_examples=10_000)
def test_hours_and_months_hold_for_ten_thousand_times(start, zone_name):
    check_month(start, zone_name)
    check_hours(start, zone_name)


@given(instants)
@settings(max_examples=100)
@example(datetime(2024, 3, 1, 21, tzinfo=UTC))  # read in winter, ends in summer: found here
def test_where_the_state_is_unknown_no_zone_of_the_union_gives_an_earlier_date(start):
    planned = calendar.due(start, Period(1, Unit.MONTHS), calendar.EVERYWHERE)
    for name in ZONES:
        assert planned <= oracle(start, ZoneInfo(name))


@given(instants, st.integers(0, 10**7), st.integers(0, 100 * 3600), st.sampled_from(sorted(JURISDICTIONS)))
@settings(max_examples=60)
def test_a_whole_incident_keeps_to_the_oracle(start, triage_after, file_after, zone_name):
    lab = LabIncidents(start)
    lab.organisation.its_standing = Standing(Category.IMPORTANT, None, (), "NIS2 3(2)", JURISDICTIONS[zone_name])
    name = lab.detect()
    lab.clock.advance(timedelta(milliseconds=triage_after))
    aware = lab.clock.now()
    lab.triage(name)
    lab.clock.advance(timedelta(seconds=file_after))
    sent = lab.clock.now()
    lab.file(name, "nis2.notification")
    clocks = lab.clocks(name)
    assert clocks["nis2.early_warning"].due_at == epoch_hours(aware, 24)
    assert clocks["nis2.notification"].due_at == epoch_hours(aware, 72)
    assert clocks["nis2.final"].due_at == oracle(sent, ZoneInfo(zone_name))
    assert (clocks["nis2.notification"].state == "met-late") == (sent > epoch_hours(aware, 72))
    lab.service = lab.restarted()
    assert lab.clocks(name) == clocks
    assert lab.service.intact(TENANT, lab.room(name).incident)
