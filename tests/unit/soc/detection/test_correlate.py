"""Windows over event time: the eight situations of each correlation, and the bounds."""

import json
import random
from collections.abc import Sequence

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.correlate import MICROS, Correlator, Entry, Limits
from ringfence.soc.detection.rule import About, Correlation, Kind

ABOUT = About("c", "C", "low")
RULES = {
    Kind.EVENT_COUNT: Correlation(ABOUT, Kind.EVENT_COUNT, ("a",), ("g",), 300, 3),
    Kind.VALUE_COUNT: Correlation(ABOUT, Kind.VALUE_COUNT, ("a",), ("g",), 300, 3, "user"),
    Kind.TEMPORAL: Correlation(ABOUT, Kind.TEMPORAL, ("a", "b", "c"), ("g",), 300, 3),
    Kind.TEMPORAL_ORDERED: Correlation(ABOUT, Kind.TEMPORAL_ORDERED, ("a", "b", "c"), ("g",), 300, 3),
}
KINDS = list(Kind)


def fed(kind: Kind, told: Sequence[tuple[float, str]], group: str = "g") -> list[bool]:
    correlator = Correlator(RULES[kind])
    return [correlator.add((group,), entry(at, label)) is not None for at, label in told]


def entry(at: float, label: str = "", weight: int = 1) -> Entry:
    return Entry(round(at * MICROS), weight, label, "")


@pytest.mark.parametrize("kind", KINDS)
class TestEverySituation:
    def test_inside(self, kind: Kind) -> None:
        assert fed(kind, [(0, "a"), (10, "b"), (20, "c")]) == [False, False, True]

    def test_at_the_very_edge(self, kind: Kind) -> None:
        assert fed(kind, [(0, "a"), (10, "b"), (300, "c")]) == [False, False, True]

    def test_just_outside(self, kind: Kind) -> None:
        assert fed(kind, [(0, "a"), (10, "b"), (300.000001, "c")]) == [False, False, False]

    def test_across_the_edge_of_a_bucket(self, kind: Kind) -> None:
        assert fed(kind, [(299, "a"), (300, "b"), (301, "c")]) == [False, False, True]

    def test_other_group(self, kind: Kind) -> None:
        correlator = Correlator(RULES[kind])
        found = [
            correlator.add((group,), entry(at, label))
            for at, label, group in [(0, "a", "x"), (1, "b", "x"), (2, "c", "y")]
        ]
        assert found == [None, None, None]

    def test_late_by_a_minute(self, kind: Kind) -> None:
        assert fed(kind, [(0, "a"), (70, "c"), (10, "b")]) == [False, False, True]

    def test_out_of_order(self, kind: Kind) -> None:
        assert fed(kind, [(20, "c"), (10, "b"), (0, "a")]) == [False, False, True]

    def test_too_late_is_counted(self, kind: Kind) -> None:
        correlator = Correlator(RULES[kind], Limits(lateness=60))
        correlator.add(("g",), entry(100, "b"))
        assert correlator.add(("g",), entry(39.9, "a")) is None
        assert correlator.add(("g",), entry(40, "a")) is None
        assert correlator.counters.late == 1

    def test_restart_in_the_middle(self, kind: Kind) -> None:
        before = Correlator(RULES[kind])
        before.add(("g",), entry(0, "a"))
        before.add(("g",), entry(10, "b"))
        after = Correlator(RULES[kind])
        after.restore(json.loads(json.dumps(before.snapshot())))
        assert after.add(("g",), entry(20, "c")) is not None


def test_reverse_order_fulfils_all_but_the_ordered() -> None:
    told = [(0, "c"), (10, "b"), (20, "a")]
    assert {kind: fed(kind, told)[-1] for kind in KINDS} == {
        Kind.EVENT_COUNT: True,
        Kind.VALUE_COUNT: True,
        Kind.TEMPORAL: True,
        Kind.TEMPORAL_ORDERED: False,
    }


def test_after_the_last_rule_nothing_else_completes_the_order() -> None:
    assert fed(Kind.TEMPORAL_ORDERED, [(0, "a"), (1, "b"), (2, "c"), (3, "a"), (4, "b")]) == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_late_hits_of_the_same_moment_keep_their_order() -> None:
    told = [(30, "x"), (10, "a"), (10, "b"), (10, "c")]
    assert fed(Kind.TEMPORAL_ORDERED, told)[-1] is True


def test_values_that_no_window_reaches_are_forgotten() -> None:
    correlator = Correlator(RULES[Kind.VALUE_COUNT], Limits(entries=5))
    for number in range(100):
        correlator.add(("g",), entry(number, str(number)))
    assert len(correlator._labels["g",]) == 5


def test_repeated_values_count_once() -> None:
    assert fed(Kind.VALUE_COUNT, [(0, "x"), (1, "x"), (2, "y"), (3, "y"), (4, "z")]) == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_weights_add_up() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT])
    window = correlator.add(("g",), entry(0, weight=3))
    assert window is not None
    assert sum(each.weight for each in window) == 3


def test_a_late_event_completes_a_window_that_ends_after_it() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT])
    for at in (0, 290):
        correlator.add(("g",), entry(at))
    window = correlator.add(("g",), entry(5))
    assert window is not None
    assert [each.at // MICROS for each in window] == [0, 5, 290]


def test_groups_are_bounded_and_losses_counted() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT], Limits(groups=10))
    for number in range(25):
        correlator.add((str(number),), entry(number))
    assert (len(correlator), correlator.counters.evicted) == (10, 15)


def test_forgetting_what_was_over_is_no_loss() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT], Limits(groups=1))
    correlator.add(("old",), entry(0))
    correlator.add(("mid",), entry(601))
    correlator.add(("new",), entry(602))
    assert correlator.counters.evicted == 2 - 1


def test_hits_of_a_group_are_bounded() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT], Limits(entries=5))
    assert [correlator.add(("g",), entry(at)) is not None for at in range(20)] == [False, False] + [True] * 18
    assert correlator.counters.shortened == 15


def test_agrees_with_counting_every_window() -> None:
    chance = random.Random(7)  # noqa: S311 - a sample, the same each time
    times = [chance.uniform(0, 3000) for _ in range(120)]
    correlator = Correlator(RULES[Kind.EVENT_COUNT], Limits(lateness=10_000))
    for index, at in enumerate(times):
        known = sorted(times[: index + 1])
        expected = any(
            right - at >= 0 and sum(right - 300 <= each <= right for each in known) >= 3
            for right in known
            if at <= right <= at + 300
        )
        assert (correlator.add(("g",), Entry(int(at * MICROS), 1, "", "")) is not None) is expected


@pytest.mark.parametrize(
    "state", [{}, {"groups": 1, "counters": [0, 0, 0]}, {"groups": [[["a"], [[1]]]], "counters": [0, 0, 0]}]
)
def test_what_is_no_snapshot_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(MalformedInput, match="snapshot"):
        Correlator(RULES[Kind.EVENT_COUNT]).restore(state)


@pytest.mark.soak
def test_a_million_groups_stay_within_the_limit() -> None:
    correlator = Correlator(RULES[Kind.EVENT_COUNT])
    for number in range(1_000_000):
        correlator.add((str(number),), entry(number / 10_000))
    assert (len(correlator), correlator.counters.evicted) == (50_000, 950_000)
