from dataclasses import replace

import pytest

from ringfence.governance.risks import statements
from ringfence.governance.risks.model import Rating, RiskId
from ringfence.governance.risks.statements import Accepting, Known, Review
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import ANNA, PLAN, RISK, ROW, in_days

KNOWN = Known({"DAT-01", "MOD-01"}, {"T01"})
REVIEW = Review(RISK, Rating(1, 2), ANNA, True, in_days(90), False, "Looked.", "a team lead")
ACCEPTING = Accepting(RISK, Digest.of(b"basis"), Rating(2, 3), in_days(200), "We bear it.")


def test_what_was_written_is_read_back():
    rows = (replace(ROW, plan=PLAN), replace(ROW, id=RiskId("risk-ffffffffffff"), owner=None, owner_words="platform"))
    draft = statements.registered(rows)
    assert statements.parse_registered(draft.claims, draft.details, KNOWN) == rows
    draft = statements.treated(RISK, PLAN)
    assert statements.parse_treated(draft.claims, draft.details, KNOWN) == (RISK, PLAN)
    draft = statements.reviewed(REVIEW)
    assert statements.parse_reviewed(draft.claims, draft.details) == REVIEW
    draft = statements.accepted(ACCEPTING)
    assert statements.parse_accepted(draft.claims, draft.details) == ACCEPTING


def test_no_text_and_no_name_of_a_person_stands_in_the_claims():
    draft = statements.registered([replace(ROW, owner_words="Anna of platform", plan=PLAN)])
    assert not any(text in str(draft.claims) for text in (ROW.title, ROW.text, "Anna", PLAN.text))
    assert draft.details["risks"][RISK]["owner"] == "Anna of platform"


@pytest.mark.parametrize(
    "change",
    [
        {"likelihood": 0}, {"impact": 6}, {"impact": "5"}, {"threats": ["T99"]}, {"controls": ["NONE"]},
        {"owner": "anna"}, {"owned": 1}, {"reviewOn": "soon"}, {"risk": "risk-1"}, {"more": 1},
        {"treatment": {"kind": "reduce"}},
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_refused(change):
    draft = statements.registered([ROW])
    (row,) = draft.claims["risks"]
    with pytest.raises(MalformedInput):
        statements.parse_registered({"risks": [row | change]}, draft.details, KNOWN)


def test_rows_are_some_and_each_is_another():
    (row,) = statements.registered([ROW]).claims["risks"]
    for rows in ([], [row, row], "rows", [row] * 501):
        with pytest.raises(MalformedInput):
            statements.parse_registered({"risks": rows}, {}, KNOWN)
    with pytest.raises(MalformedInput, match="1 to 500"):
        statements.registered([])


@pytest.mark.parametrize(
    "change", [{"kind": "ignore"}, {"kind": []}, {"dueOn": ""}, {"done": "no"}, {"residualImpact": 9}]
)
def test_a_treatment_that_does_not_fit_is_refused(change):
    draft = statements.treated(RISK, PLAN)
    with pytest.raises(MalformedInput):
        statements.parse_treated(draft.claims | change, {}, KNOWN)


def test_details_of_another_shape_are_no_texts():
    claims = statements.registered([ROW]).claims
    for details in ({}, {"risks": []}, {"risks": {RISK: "text"}}):
        (row,) = statements.parse_registered(claims, details, KNOWN)
        assert row.title == ""
