from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.tally import Repeats


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=60))
def test_repeats_are_counted_as_a_set_counts_them(values):
    repeats = Repeats()
    for value in values:
        repeats.add(value)
    assert repeats.repeated() == len(values) - len(set(values))
    assert repeats.twice() == {value for value in values if values.count(value) > 1}
