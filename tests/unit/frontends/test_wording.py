from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.frontends import wording

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_times_are_printed_in_utc_wherever_they_come_from():
    at = datetime(2026, 11, 22, 10, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    assert wording.utc(at) == "2026-11-22 08:30:05 UTC"
    assert wording.field(at) == "2026-11-22T08:30:05"


def test_an_address_keeps_a_time_and_not_now():
    assert wording.kept_at(NOW) == "?as_of=2026-11-22T09%3A00%3A00.000Z"
    assert wording.kept_at(None) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (0.9, "just now"),
        (1, "1 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (47 * 3_600, "47 h ago"),
        (48 * 3_600, "2 d ago"),
        (-90, "in 1 min"),
        (-86_400 * 84, "in 84 d"),
    ],
)
def test_age_in_words(seconds, words):
    assert wording.age(NOW - timedelta(seconds=seconds), NOW) == words


@given(st.timedeltas(min_value=timedelta(days=-4000), max_value=timedelta(days=4000)))
def test_age_never_says_more_than_has_passed(distance):
    words = wording.age(NOW - distance, NOW)
    if words == "just now":
        assert abs(distance) < timedelta(seconds=1)
        return
    count, unit = words.removeprefix("in ").removesuffix(" ago").split(" ")
    size = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}[unit]
    assert int(count) * size <= abs(distance).total_seconds() < (int(count) + 1) * size


def test_digests_lose_their_middle():
    assert wording.middle("sha256:" + "ab" * 32) == "abababab…abababab"
    assert wording.middle("short") == "short"


@given(st.text(alphabet="0123456789abcdef", max_size=80))
def test_a_shortened_digest_keeps_both_ends(text):
    short = wording.middle(text)
    assert len(short) <= 17
    assert text.startswith(short.split("…")[0])
    assert text.endswith(short.split("…")[-1])


@pytest.mark.parametrize(
    ("value", "holds"),
    [("ab" * 32, True), ("sha256:" + "ab" * 32, True), ("AB" * 32, False), ("ab" * 31, False), (7, False)],
)
def test_what_is_a_digest(value, holds):
    assert wording.is_digest(value) is holds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (48_318_382_080, "48,318,382,080"),
        ([], "none"),
        (["a", 2], "a, 2"),
        ({"owner": 1, "auditor": 2}, "owner: 1, auditor: 2"),
        ({}, "none"),
        (None, "none"),
        ("<b>", "<b>"),
    ],
)
def test_claims_in_words(value, words):
    assert wording.claim(value) == words


def test_names_and_counts():
    assert wording.words("oldestEntryAt") == "oldest entry at"
    assert wording.plural(1, "entry", "entries") == "1 entry"
    assert wording.plural(1_200, "entry", "entries") == "1,200 entries"
    assert wording.plural(2, "control") == "2 controls"


@given(st.lists(st.integers(-1_000, 1_000).map(float), max_size=30))
def test_a_sparkline_stays_in_its_box(values):
    pairs = [tuple(map(float, pair.split(","))) for pair in wording.points(values).split()]
    assert len(pairs) == (len(values) if len(values) > 1 else 0)
    assert all(0 <= x <= 96 and 0 <= y <= 24 for x, y in pairs)
