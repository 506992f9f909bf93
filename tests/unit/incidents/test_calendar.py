from datetime import UTC, datetime

import pytest

from ringfence.incidents import calendar
from ringfence.incidents.terms import Period, Unit

BERLIN = calendar.where("DE")


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "until"),
    [
        ("2026-01-31T10:00:00+01:00", "2026-03-01T00:00:00+01:00"),  # 31 January: the last day of February, 24:00
        ("2028-01-31T10:00:00+01:00", "2028-03-01T00:00:00+01:00"),  # a leap year
        ("2026-08-31T10:00:00+02:00", "2026-10-01T00:00:00+02:00"),
        ("2026-02-28T10:00:00+01:00", "2026-03-29T00:00:00+01:00"),  # the same day, not the last day
        ("2026-03-05T10:00:00+01:00", "2026-04-06T00:00:00+02:00"),  # summer time begins between
        ("2026-12-15T10:00:00+01:00", "2027-01-16T00:00:00+01:00"),
        ("2026-11-21T10:00:00+01:00", "2026-12-22T00:00:00+01:00"),
        ("2026-10-11T10:00:00+02:00", "2026-11-12T00:00:00+01:00"),  # 11 November is no holiday that extends anything
    ],
)
def test_a_month_ends_with_the_same_day_or_the_last(start, until):
    assert calendar.due(at(start), Period(1, Unit.MONTHS), BERLIN) == at(until)


def test_hours_elapse_through_a_night_that_has_twenty_five():
    start = at("2026-10-24T12:00:00+02:00")
    assert calendar.due(start, Period(24, Unit.HOURS), BERLIN) == at("2026-10-25T11:00:00+01:00")


def test_the_day_of_the_event_is_not_counted_and_weekends_are():
    friday = at("2026-11-20T18:00:00+01:00")
    assert calendar.due(friday, Period(2, Unit.DAYS), BERLIN) == at("2026-11-23T00:00:00+01:00")


def test_the_day_is_the_one_that_the_entity_has():
    start = at("2026-03-01T23:30:00+00:00")  # already 2 March in Berlin, still 1 March in Lisbon
    month = Period(1, Unit.MONTHS)
    assert calendar.due(start, month, BERLIN) == at("2026-04-03T00:00:00+02:00")
    assert calendar.due(start, month, calendar.where("PT")) == at("2026-04-02T00:00:00+01:00")
    assert calendar.due(start, month, calendar.where("")) == at("2026-04-02T00:00:00+03:00")


def test_where_several_states_have_jurisdiction_the_earliest_of_their_midnights_counts():
    month, start = Period(1, Unit.MONTHS), at("2026-03-05T10:00:00+01:00")
    assert calendar.due(start, month, calendar.where("DE,FR")) == at("2026-04-06T00:00:00+02:00")
    assert calendar.due(start, month, calendar.where("FI,PT")) == at("2026-04-06T00:00:00+03:00")
    late = at("2026-03-01T23:30:00+00:00")  # 2 March in Helsinki, still 1 March in Lisbon
    assert calendar.due(late, month, calendar.where("FI,PT")) == at("2026-04-02T00:00:00+01:00")


@pytest.mark.parametrize("named", ["", "XX", "DE,XX", "DE,", "undetermined"])
def test_a_state_that_is_not_known_is_planned_for_as_any(named):
    assert calendar.where(named) == calendar.where("")
