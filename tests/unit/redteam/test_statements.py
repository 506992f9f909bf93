import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject
from ringfence.redteam import statements
from ringfence.redteam.document import run_bytes
from ringfence.redteam.model import Outcome
from ringfence.testing.clock import START
from ringfence.testing.home import LOG, draft
from ringfence.testing.redteam import MODEL, found

SCHEMA = Path(__file__).parents[3] / "docs" / "specs" / "predicates" / "redteam.run.schema.json"
PLAN, DOCUMENT = found()
DRAFT = statements.run(PLAN, DOCUMENT)


def stated(claims=None, *, strength=Strength.OBSERVED, **changed):
    made = Issuance(Tenant("main"), LOG, KeyId("0" * 64), strength, 1, "0" * 32, "k", START)
    values = {"predicate": DRAFT.predicate, "subjects": DRAFT.subjects, "claims": claims or DRAFT.claims}
    return Statement(**(values | changed), issuance=made)


def test_a_run_is_bound_by_its_digest():
    assert DRAFT.subjects == (Subject(f"redteam/{PLAN.run}", Digest.of(run_bytes(DOCUMENT))),)
    assert DRAFT.idempotency_key.endswith(Digest.of(run_bytes(DOCUMENT)).hex)
    assert statements.check(stated()).claims["modelDigest"] == MODEL


def test_the_address_goes_into_what_can_be_erased():
    assert DRAFT.details == {"endpoint": PLAN.endpoint, "model": PLAN.model}
    assert "127.0.0.1" not in json.dumps(dict(DRAFT.claims))


def test_what_is_stated_fits_the_schema_and_nothing_else_does():
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    check.validate(dict(DRAFT.claims))
    for document in (found(lambda _: Outcome.ERROR)[1], found(lambda _: Outcome.SUCCESS, 20)[1]):
        check.validate(dict(statements.run(PLAN, document).claims))
    assert not check.is_valid(dict(DRAFT.claims) | {"more": 1})
    for name in DRAFT.claims.keys() - {"modelDigest"}:
        assert not check.is_valid({key: value for key, value in DRAFT.claims.items() if key != name})


def test_an_unknown_model_is_not_named():
    document = DOCUMENT | {"modelDigest": "unknown"}
    assert "modelDigest" not in statements.run(PLAN, document).claims


@pytest.mark.parametrize("name", sorted(DRAFT.claims.keys() - {"modelDigest"}))
@pytest.mark.parametrize("value", [None, "x y", -1, 1.5, [], {}])
def test_a_claim_of_another_kind_is_refused(name, value):
    if name == "seed" and value == -1:
        return
    with pytest.raises(MalformedInput):
        statements.check(stated(dict(DRAFT.claims) | {name: value}))


def changed(**family):
    claims = deepcopy(dict(DRAFT.claims))
    claims["families"][0] |= family
    return claims


@pytest.mark.parametrize(
    "claims",
    [
        changed(upperPpm=50_001),
        changed(valid=300, successes=0),
        changed(successes=500),
        changed(verdict="fail"),
        changed(verdict="inconclusive"),
        changed(family="Über"),
        changed(extra=1),
        changed(cases=380),
        changed(label="smoke"),
        changed(family="two"),
        dict(DRAFT.claims) | {"live": False},
        dict(DRAFT.claims) | {"verdict": "fail"},
        dict(DRAFT.claims) | {"other": 1},
        {key: value for key, value in DRAFT.claims.items() if key != "plan"},
    ],
)
def test_what_cannot_be_is_refused(claims):
    with pytest.raises(MalformedInput):
        statements.check(stated(claims))


def test_only_a_run_of_its_strength_about_itself_is_taken():
    with pytest.raises(MalformedInput, match="takes redteam"):
        statements.check(stated(predicate=PredicateName("dataset.sealed")))
    with pytest.raises(Refused, match="strength"):
        statements.check(stated(strength=Strength.DOCUMENTED))
    with pytest.raises(MalformedInput, match="subject"):
        statements.check(stated(subjects=draft().subjects))


def test_each_verdict_can_be_stated():
    for judge, number in (
        (lambda _: Outcome.SUCCESS, 40),
        (lambda _: Outcome.EMPTY, 40),
        (lambda _: Outcome.RESISTED, 40),
    ):
        document = found(judge, number)[1]
        made = statements.run(PLAN, document)
        assert statements.check(stated(dict(made.claims), subjects=made.subjects))
