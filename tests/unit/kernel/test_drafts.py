import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import drafts
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

DRAFT = Draft(
    PredicateName("incident.triage"),
    (Subject("incident/i-1", Digest.of(b"i")),),
    {"significant": True, "criteria": ["a"], "n": 3},
    Strength.DOCUMENTED,
    {"reason": "ü"},
    "key",
)
_VALUES = st.one_of(st.booleans(), st.integers(-(2**50), 2**50), st.text(max_size=20), st.lists(st.integers(0, 9)))


def test_a_draft_comes_back():
    assert drafts.parse(drafts.to_bytes(DRAFT)) == DRAFT


@given(st.dictionaries(st.text(max_size=10), _VALUES, max_size=5), st.dictionaries(st.text(max_size=10), _VALUES))
def test_every_draft_comes_back(claims, details):
    made = Draft(DRAFT.predicate, DRAFT.subjects, claims, Strength.OBSERVED, details)
    assert drafts.parse(drafts.to_bytes(made)) == made


@pytest.mark.parametrize(
    "change",
    [
        {"predicate": "no"},
        {"subjects": []},
        {"subjects": [["a", "zz"]]},
        {"subjects": [["\u001b[31m", "00" * 32]]},
        {"subjects": [["a", "00" * 32]] * 65},
        {"strength": "sworn"},
        {"claims": []},
        {"details": None},
        {"idempotencyKey": "k" * 129},
        {"more": 1},
    ],
)
def test_anything_else_is_malformed(change):
    with pytest.raises(MalformedInput):
        drafts.from_json({**drafts.to_json(DRAFT), **change})


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", dumps({"claims": "x" * drafts.MAX_DRAFT})])
def test_bytes_that_are_no_draft_are_malformed(data):
    with pytest.raises(MalformedInput):
        drafts.parse(data)
