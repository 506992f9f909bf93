"""The red team's statistics hold what they say, and no bytes of a pack or a run leave the error family."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.redteam import journal, pack
from ringfence.redteam.scoring import echoes
from ringfence.redteam.statistics import wilson
from ringfence.redteam.transforms import TRANSFORMS, apply, normal, undone
from ringfence.testing.redteam import small

CASES = 500


def coverage(n, rate):
    """Return how often the interval holds the true rate: exact, by the binomial distribution."""
    total = 0.0
    for hits in range(n + 1):
        low, high = wilson(hits, n)
        if low <= rate <= high:
            log = math.lgamma(n + 1) - math.lgamma(hits + 1) - math.lgamma(n - hits + 1)
            total += math.exp(log + hits * math.log(rate) + (n - hits) * math.log1p(-rate))
    return total


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5, 0.8, 0.99])
def test_the_interval_covers_the_hidden_rate(rate):
    assert 0.93 <= coverage(CASES, rate) <= 0.97


def test_a_rate_of_nothing_is_always_covered():
    assert wilson(0, CASES)[0] == 0.0
    assert wilson(CASES, CASES)[1] == 1.0


@given(st.integers(1, 5000), st.data())
def test_more_successes_never_lower_the_bound(n, data):
    hits = data.draw(st.integers(0, n - 1))
    assert wilson(hits, n)[1] <= wilson(hits + 1, n)[1]
    assert 0 <= wilson(hits, n)[0] <= hits / n <= wilson(hits, n)[1] <= 1


@given(st.integers(0, 400), st.integers(1, 400))
def test_more_cases_without_a_success_never_raise_the_bound(less, more):
    assert wilson(0, less + more)[1] <= wilson(0, less)[1]


@given(st.binary(max_size=300))
def test_bytes_that_are_no_pack_are_refused(data):
    try:
        pack.parse(data)
    except MalformedInput:
        return
    assert data.strip()


@given(st.data())
def test_a_spoilt_pack_is_a_pack_or_refused(data):
    whole = bytearray(small(3))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert pack.parse(bytes(whole)).attacks >= 1
    except MalformedInput as error:
        assert str(error)  # noqa: PT017 -- either outcome is right


@given(st.binary(max_size=200))
def test_bytes_that_are_no_journal_are_refused(data):
    try:
        assert list(journal.records(data, "", source="j")) == []
    except VerificationFailed as error:
        assert str(error).startswith("j:")  # noqa: PT017 -- either outcome is right


@given(st.text(max_size=200))
def test_every_text_can_be_hidden_and_looked_for(text):
    for name in TRANSFORMS:
        clean = text.encode("utf-8", "ignore").decode()
        assert isinstance(undone(apply((name,), clean)), str)


@given(st.text(min_size=1, max_size=400))
def test_whatever_is_asked_an_echo_of_it_is_one(text):
    prompt = normal(text)
    if prompt:
        assert echoes(prompt, prompt)
        assert echoes(f"you said: {prompt} - yes", prompt)
