import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.gateway import statements
from ringfence.gateway.deployments import Attach
from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import Basis, Protocol, ServedModel, Upstream
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError
from ringfence.testing.callers import ANNA, CARL, TENANT, World
from ringfence.testing.clock import START
from ringfence.testing.gateway import deployment

SPECS = Path(__file__).parents[3] / "docs" / "specs" / "predicates"
ALL = (*statements.ABOUT_KEYS, *statements.ABOUT_DEPLOYMENTS)


def schema(predicate):
    return json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stated():
    """Every statement of a busy day."""
    world = World()
    gateway = world.gateway
    for number in range(2):
        key = gateway.issue_key(CARL, Wanted("Anna Example", ("small",) * number)).key.id
        gateway.block_key(TENANT, key, because="guessed", finding="f-1" * number, by=None if number else ANNA.id)
        gateway.unblock_key(ANNA, key)
        gateway.revoke_key(ANNA, key)
    model = ServedModel("tiny", Digest.of(b"weights"), Basis.LOADED)
    gateway.attach(CARL, Attach("small", "http://127.0.0.1:8000/v1", model=model, credential="s"))
    gateway.attach(CARL, Attach("plain", "http://127.0.0.1:8000/v1"))
    gateway.stop(CARL, "small")
    gateway.starting(TENANT, "own", protocol=Protocol.OPENAI, node="n-00000001")
    gateway.serving(TENANT, "own", upstream=Upstream("http://n/v1", "tunnels/own.sock"), model=model)
    gateway.failed(TENANT, "own", because="models/anna is gone")
    return [*world.stated, *world.journalled]


def test_everything_that_is_stated_fits_its_schema(stated):
    assert {draft.predicate for draft in stated} == set(ALL)
    for draft in stated:
        jsonschema.Draft202012Validator(schema(draft.predicate)).validate(json.loads(json.dumps(dict(draft.claims))))


@pytest.mark.parametrize("predicate", ALL)
def test_a_schema_refuses_what_it_does_not_name_and_what_is_missing(stated, predicate):
    claims = dict(next(draft.claims for draft in stated if draft.predicate == predicate))
    check = jsonschema.Draft202012Validator(schema(predicate))
    assert not check.is_valid(claims | {"other": 1})
    for name in schema(predicate)["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


def test_no_name_address_or_reason_is_a_claim(stated):
    for draft in stated:
        text = json.dumps(dict(draft.claims)) + str(draft.subjects)
        for personal in ("Anna", "127.0.0.1", "guessed", "models/", "tiny"):
            assert personal not in text


def test_what_the_emergency_key_states_has_no_details(stated):
    for draft in stated:
        if draft.predicate in {statements.KEY_BLOCKED, statements.KEY_REVOKED}:
            assert not draft.details


def test_a_deployment_without_a_subject_is_stated_nowhere():
    with pytest.raises(InternalError):
        statements.started(deployment(), START)
