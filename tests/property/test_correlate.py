"""Windows agree with a slow definition, in every order of arrival, across restarts."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ringfence.soc.detection.correlate import MICROS, Correlator, Entry, Limits
from ringfence.soc.detection.rule import About, Correlation, Kind

ABOUT = About("c", "C", "low")
SPAN = 10
HITS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=14)


def fulfilled(kind: Kind, window: list[tuple[int, str]]) -> bool:
    """Say by the words of the rule whether a window, in order of time, fulfils it."""
    labels = [label for _at, label in window]
    if kind is Kind.EVENT_COUNT:
        return len(labels) >= 3
    if kind is not Kind.TEMPORAL_ORDERED:
        return {"a", "b", "c"} <= set(labels)
    rest = iter(labels)
    return bool(labels) and labels[-1] == "c" and all(label in rest for label in "abc")


def expected(kind: Kind, known: list[tuple[int, str]], new: tuple[int, int]) -> bool:
    """Look at every window that ends at a hit and contains the new one."""
    ordered = sorted(enumerate(known), key=lambda each: (each[1][0], each[0]))
    place = [index for index, _hit in ordered].index(new[1])
    for right in range(place, len(ordered)):
        end = ordered[right][1][0]
        window = [hit for _index, hit in ordered[: right + 1] if hit[0] >= end - SPAN]
        if end - SPAN <= new[0] and fulfilled(kind, window):
            return True
    return False


@given(st.sampled_from(list(Kind)), HITS)
def test_agrees_with_the_definition(kind: Kind, hits: list[tuple[int, str]]) -> None:
    correlator = Correlator(Correlation(ABOUT, kind, ("a", "b", "c"), (), SPAN, 3), Limits(lateness=100))
    for index, (at, label) in enumerate(hits):
        found = correlator.add((), Entry(at * MICROS, 1, label, "")) is not None
        assert found is expected(kind, hits[: index + 1], (at, index))


@given(st.sampled_from(list(Kind)), HITS, st.integers(0, 14))
def test_a_restart_changes_nothing(kind: Kind, hits: list[tuple[int, str]], cut: int) -> None:
    rule = Correlation(ABOUT, kind, ("a", "b", "c"), (), SPAN, 3)
    whole, before, after = (Correlator(rule, Limits(lateness=20)) for _each in range(3))
    entries = [Entry(at * MICROS, 1, label, "") for at, label in hits]
    told = [whole.add((), each) for each in entries]
    first = [before.add((), each) for each in entries[:cut]]
    after.restore(json.loads(json.dumps(before.snapshot())))
    assert first + [after.add((), each) for each in entries[cut:]] == told
