"""What people sign about risks, exceptions and opinions fits the published schemas, and little else does."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.risks import statements as risks
from ringfence.governance.risks.statements import Accepting, Review
from ringfence.kernel.digest import Digest
from ringfence.obligations import catalog
from ringfence.obligations.results import State
from ringfence.obligations.threats import register as threats
from ringfence.testing.judging import EXCEPTION, GIVEN, OPINION, PLAN, RISK, ROW, WANTED

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
BASIS = Digest.of(b"basis")
DRAFTS = [
    risks.registered([replace(ROW, plan=PLAN), replace(ROW, owner=None, owned=False)]),
    risks.treated(RISK, replace(PLAN, due_on=None, done=True)),
    risks.reviewed(Review(RISK, ROW.rating, None, False, ROW.review_on, True, "Gone.")),
    risks.accepted(Accepting(RISK, BASIS, PLAN.residual, WANTED.until, "We bear it.")),
    exceptions.requested(WANTED),
    exceptions.approved(EXCEPTION, BASIS),
    exceptions.ended(EXCEPTION, "Over."),
    opinions.given(replace(GIVEN, basis=(1, 2))),
    opinions.withdrawn(OPINION, "I was wrong."),
]


def validator(predicate):
    schema = json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_every_statement_fits_its_schema_and_nothing_may_be_missing_or_more(draft):
    check, claims = validator(draft.predicate), dict(draft.claims)
    check.validate(claims)
    assert not check.is_valid(claims | {"status": "satisfied", "reason": "because"})
    for name in claims:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


def test_the_schemas_know_the_ids_and_states_that_there_are():
    control = validator("opinion.given").schema["properties"]["control"]
    assert all(jsonschema.Draft202012Validator(control).is_valid(one.id) for one in catalog.load().controls)
    row = validator("risk.registered").schema["properties"]["risks"]["items"]["properties"]["threats"]["items"]
    assert all(jsonschema.Draft202012Validator(row).is_valid(one.id) for one in threats.load().threats)
    assert set(validator("opinion.given").schema["properties"]["status"]["enum"]) == set(State)
