from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import clock
from ringfence.kernel.clock import BACKWARDS, from_millis, from_text, recording_time, to_millis, to_text
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.testing.clock import START

MS = timedelta(milliseconds=1)
MILLIS = st.integers(-62135596800000, 253402300799999)  # years 1 to 9999


@given(MILLIS)
def test_text_and_millis_are_read_back(millis):
    instant = from_millis(millis)
    assert to_millis(instant) == millis
    assert from_text(to_text(instant)) == instant


def test_an_instant_is_printed_in_utc_and_rounded_down():
    local = datetime(2026, 11, 22, 2, 2, 3, 456999, tzinfo=timezone(timedelta(hours=1)))
    assert to_text(local) == "2026-11-22T01:02:03.456Z"
    assert to_millis(local) == to_millis(datetime(2026, 11, 22, 1, 2, 3, 456000, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T01:02:03Z",
        "2026-11-22T01:02:03.456",
        "2026-11-22T01:02:03.456+00:00",
        "2026-11-22t01:02:03.456z",
        " 2026-11-22T01:02:03.456Z",
        "2026-11-22T01:02:03.456Z\n",
        "2026-13-22T01:02:03.456Z",
        "2026-02-30T01:02:03.456Z",
        "2026-11-22T24:00:00.000Z",  # later Pythons read it as the next day
        "2026-11-22T01:02:60.000Z",
        "٢٠٢٦-11-22T01:02:03.456Z",
        None,
        5,
        ["2026-11-22T01:02:03.456Z"],
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(MalformedInput):
        from_text(text)


def test_a_long_text_is_not_repeated_in_full():
    with pytest.raises(MalformedInput) as caught:
        from_text("x" * 10**6)
    assert len(str(caught.value)) < 200


@given(st.integers(-10_000_000, 10_000_000))
def test_time_never_runs_backwards(difference):
    now = START + timedelta(microseconds=difference)
    try:
        assert recording_time(START, now) >= START
    except Unavailable:
        assert START - now > BACKWARDS


def test_a_small_step_back_takes_the_time_of_the_entry_before():
    assert recording_time(START, START - BACKWARDS) == START


def test_a_clock_before_the_log_is_one_sentence():
    with pytest.raises(Unavailable, match="set the clock") as caught:
        recording_time(START, START - BACKWARDS - MS)
    assert "nothing was written" in str(caught.value)


def test_times_are_cut_to_milliseconds_before_they_are_compared():
    assert recording_time(START, START + timedelta(microseconds=999)) == START


class TestWhatAPersonGives:
    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-11-22T01:02", "2026-11-22T01:02:00.000Z"),
            ("2026-11-22", "2026-11-22T00:00:00.000Z"),
            ("2026-11-22T01:02:03+02:00", "2026-11-21T23:02:03.000Z"),
        ],
    )
    def test_it_is_utc_unless_it_says_otherwise(self, text, instant):
        assert to_text(clock.given(text)) == instant

    @pytest.mark.parametrize("text", ["", "x", "2026-13-01", "now", "x" * 5000, "2026-11-22T25:00"])
    def test_the_rule_is_said_where_it_is_no_time(self, text):
        with pytest.raises(MalformedInput, match=r"as_of: .* without a zone it is UTC") as error:
            clock.given(text, source="as_of")
        assert len(str(error.value)) < 200

    @pytest.mark.parametrize("text", ["1969-12-31", "9999-12-31", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"])
    def test_far_times_are_refused(self, text):
        with pytest.raises(MalformedInput):
            clock.given(text)

    def test_what_is_signed_says_its_zone(self):
        with pytest.raises(MalformedInput, match="says its zone"):
            clock.given("2026-11-22T01:02", zoned=True)
        assert to_text(clock.given("2026-11-22T01:02Z", zoned=True)) == "2026-11-22T01:02:00.000Z"
