from dataclasses import replace

import pytest

from ringfence.governance import reading
from ringfence.governance.opinions import statements
from ringfence.governance.opinions.model import LONGEST, Verdict
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import GIVEN, OPINION, TODAY, in_days

AGREES = replace(GIVEN, verdict=Verdict.AGREES, basis=(3, 7))


def test_what_was_written_is_read_back():
    for given in (GIVEN, AGREES):
        draft = statements.given(given)
        assert statements.parse_given(draft.claims, draft.details, {"MOD-01"}) == given
        assert given.sentence not in str(draft.claims)
    draft = statements.withdrawn(OPINION, "I was wrong.")
    assert statements.parse_withdrawn(draft.claims, draft.details) == (OPINION, "I was wrong.")


@pytest.mark.parametrize(
    "change",
    [
        {"control": "NONE-01"}, {"control": None}, {"verdict": "satisfied"}, {"method": "guess"}, {"basis": [3, 3]},
        {"basis": [-1]}, {"basis": ["3"]}, {"basis": list(range(201))}, {"basis": []}, {"status": ""}, {"status": 1},
        {"rulesDigest": "x"}, {"until": None}, {"more": 1},
    ],
)  # fmt: skip
def test_an_opinion_that_does_not_fit_is_refused(change):
    claims = statements.given(AGREES).claims | change
    with pytest.raises(MalformedInput):
        statements.parse_given(claims, {}, {"MOD-01"})


def test_whoever_agrees_has_examined_something():
    with pytest.raises(MalformedInput, match="at least one entry"):
        statements.parse_given(statements.given(replace(AGREES, basis=())).claims, {})


def test_an_opinion_ends_within_366_days():
    assert reading.runs(in_days(366), TODAY, LONGEST)
    assert not reading.runs(in_days(367), TODAY, LONGEST)
    assert not reading.runs(TODAY, TODAY, LONGEST)
