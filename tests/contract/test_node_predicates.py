"""What is stated about nodes fits the published schemas, and the schemas refuse what they do not name."""

import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.compute import statements
from ringfence.compute.model import NodeClass
from ringfence.kernel.errors import Unavailable
from ringfence.testing.nodes import ANNA, BERT, CARL, TENANT, World
from ringfence.testing.sandboxes import CLOSED, HOST_KEY, OPEN

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
ALL = {*statements.ABOUT_NODES, statements.BLOCKED, statements.UNBLOCKED}


def schema(predicate):
    return json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stated():
    """Every statement of a busy day."""
    world = World()
    compute = world.compute()
    node = world.ready(compute, expose=(8080,))
    compute.certificate(CARL, "alpha", HOST_KEY)
    world.provider.probes = (*CLOSED, OPEN[0])
    compute.quarantine(TENANT, node.id, reason="tried", finding="f-1", triggered_at=world.clock.now())
    world.provider.probes = CLOSED
    compute.sweep()
    compute.certificate(ANNA, "alpha", HOST_KEY, forensic=True, reason="looking")
    request = world.request(compute, node)
    compute.releasing.approve(BERT, "alpha", world.approval(node, request.digest), None)
    compute.quarantine(TENANT, node.id, reason="by hand", by=ANNA)
    compute.block(TENANT, "203.0.113.7", seconds=60, finding="f-1")
    compute.blocking.unblock(ANNA, "203.0.113.7")
    world.ready(compute, "beta")
    world.provider.node_class = NodeClass.OWN
    compute.baselines.accept(BERT, "beta")
    world.provider.node_class = NodeClass.NAMESPACE
    compute.stop(CARL, "beta")
    world.provider.broken["create"] = Unavailable("bubblewrap is missing")
    world.ready(compute, "gamma")
    return [draft for _, draft in world.stated]


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


def test_what_the_emergency_key_states_has_no_details(stated):
    emergency = {"quarantine.requested", "forensics.collected", "quarantine.confirmed", "quarantine.failed"}
    for draft in stated:
        if draft.predicate in emergency | {"source.blocked"}:
            assert not draft.details, draft.predicate


def test_no_name_address_or_reason_is_a_claim(stated):
    for draft in stated:
        text = json.dumps(dict(draft.claims)) + str(draft.subjects)
        for personal in ("alpha", "203.0.113.7", "looking", "by hand", "cleaned"):
            assert personal not in text
