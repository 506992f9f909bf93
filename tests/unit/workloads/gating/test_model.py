"""A verdict passes only where something is demanded and all of that stands."""

from datetime import UTC, datetime
from itertools import product

from ringfence.kernel.digest import Digest
from ringfence.workloads.gating.model import About, Condition, Judgement, Outcome

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def judged(*conditions):
    made = tuple(Condition(str(at), outcome, "", demanded=asked) for at, (outcome, asked) in enumerate(conditions))
    return Judgement(About(Digest.of(b""), None, ""), made, Digest.of(b""), NOW)


def test_every_combination_of_two():
    for pair in product(product(Outcome, (True, False)), repeat=2):
        demanded = [outcome for outcome, asked in pair if asked]
        found = judged(*pair)
        assert found.passed is (bool(demanded) and Outcome.UNMET not in demanded)
        assert bool(found.unmet) is (Outcome.UNMET in demanded)


def test_nothing_demanded_is_nothing_passed():
    assert not judged().passed
    assert not judged((Outcome.MET, False)).passed
