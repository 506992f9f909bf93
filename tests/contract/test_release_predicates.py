"""What is stated about key releases fits the published schemas, and the schemas refuse what they do not name."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.errors import Refused
from ringfence.keyrelease import rules, statements
from ringfence.keyrelease.model import MOST_DENIALS, PlaceKind
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.keyrelease import ANNA, WISH, World

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
ALL = set(statements.ABOUT_RELEASES)


def schema(predicate):
    return json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stated():
    """Every statement of a busy hour."""
    world = World()
    service = world.service()
    rule = world.allow(places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.DECLARED}))
    lease = service.release(ANNA, replace(WISH, place="DE"))
    world.clock.advance(timedelta(minutes=10))
    Rounds(service)()
    service.leasing.end_for(ANNA, lease.id)
    world.node("beta").device = None
    for _ in range(MOST_DENIALS + 2):
        with pytest.raises(Refused):
            service.release(ANNA, replace(WISH, node="beta"))
    with pytest.raises(Refused):
        service.release(ANNA, WISH)
    world.clock.advance(timedelta(minutes=11))
    Rounds(service)()
    return [*world.stated, rules.draft(rule)]


def test_everything_that_is_stated_fits_its_schema(stated):
    assert {draft.predicate for draft in stated} == ALL
    for draft in stated:
        jsonschema.Draft202012Validator(schema(draft.predicate)).validate(json.loads(json.dumps(dict(draft.claims))))


@pytest.mark.parametrize("predicate", sorted(ALL))
def test_a_schema_refuses_what_it_does_not_name_and_what_is_missing(stated, predicate):
    claims = dict(next(draft.claims for draft in stated if draft.predicate == predicate))
    check = jsonschema.Draft202012Validator(schema(predicate))
    assert not check.is_valid(claims | {"other": 1})
    for name in schema(predicate)["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


def test_no_name_and_no_reason_is_a_claim(stated):
    for draft in stated:
        text = json.dumps(dict(draft.claims)) + str(draft.subjects)
        for personal in ("alpha", "beta", '"claims"', "it is affirming"):
            assert personal not in text.replace('"claims": {', "")
