from dataclasses import replace

import pytest

from ringfence.compute.model import NodeClass, NodeSpec
from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.inventory import Asset, Inventory, draft
from ringfence.workloads.collecting.wires import collectors


@pytest.fixture
def stage(home, clock):
    with empty(home, clock) as opened:
        yield opened


def claims(stage):
    collectors(stage.services)["asset.inventory"](TENANT)
    return stage.services.ledger.page(TENANT, limit=1)[0].envelope.statement.claims


def provider(stage):
    return stage.services.cutoff.compute.desk.providers[NodeClass.NAMESPACE]


def test_without_anything_there_is_an_empty_inventory(stage):
    assert claims(stage) | {"digest": ""} == {"assets": 0, "kinds": [], "unknown": 0, "gone": 0, "digest": ""}


def test_a_node_that_runs_is_registered_and_neither_unknown_nor_gone(stage):
    stage.node("trainer")
    found = claims(stage)
    assert (found["assets"], found["kinds"], found["unknown"], found["gone"]) == (1, ["node"], 0, 0)


def test_a_node_that_does_not_run_any_more_is_gone(stage):
    node = stage.node("trainer")
    provider(stage).ports[node.id].running = False
    assert claims(stage)["gone"] == 1


def test_a_node_that_nobody_could_look_at_was_not_seen_to_run(stage):
    node = stage.node("trainer")
    del provider(stage).ports[node.id]
    assert claims(stage)["gone"] == 1


def test_a_node_whose_provider_is_away_was_not_seen_to_run(stage):
    stage.node("trainer")
    desk = replace(stage.services.cutoff.compute.desk, providers={})
    assert Inventory(desk, lambda _: [], lambda _: [])(TENANT).claims["gone"] == 1


def test_what_runs_and_stands_in_no_row_is_unknown(stage):
    node = stage.node("trainer")
    spec: NodeSpec = provider(stage).ports[node.id].spec
    provider(stage).create(_other(spec))
    found = claims(stage)
    assert (found["assets"], found["unknown"], found["gone"]) == (1, 1, 0)


def test_a_node_of_another_tenant_is_neither_listed_nor_unknown(stage):
    stage.node("trainer")
    found = collectors(stage.services)["asset.inventory"].collect.look("other").claims
    assert (found["assets"], found["unknown"]) == (0, 0)


def _other(spec):
    return replace(spec, node="n-ffffffff")


def test_the_digest_is_of_what_is_listed_in_whatever_order():
    one, two = Asset("node", "n-00000001"), Asset("model", "m")
    assert draft(TENANT, [one, two], []).claims == draft(TENANT, [two, one], []).claims
    assert draft(TENANT, [one], []).claims["digest"] != draft(TENANT, [two], []).claims["digest"]


def test_what_is_gone_and_what_is_unknown_is_named_in_the_erasable_part_only():
    made = draft(TENANT, [Asset("node", "n-00000001", gone=True)], ["n-ffffffff"])
    assert (made.details["gone"], made.details["unknown"]) == (["n-00000001"], ["n-ffffffff"])
    assert "n-" not in str(dict(made.claims))
