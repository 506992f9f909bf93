"""What production shares, by names that people wrote and by what is on record."""

import json
from datetime import UTC, datetime

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.collecting.separation import (
    DATASET,
    DEPLOYMENT,
    KEY,
    NO_PLAN,
    NODE,
    WINDOW,
    Opened,
    Separation,
    Thing,
    draft,
    parse,
)

TENANT = Tenant("acme")
PRODUCTION = {"nodes": ["prod-*"], "datasets": ["claims"], "deployments": ["triage"], "keys": ["hospital"]}
TEST = {"nodes": ["test-*"], "datasets": ["sample"], "deployments": ["triage-test"], "keys": ["ci"]}
WHOLE = {
    "format": "urn:ringfence:environments:v1",
    "production": "production",
    "environments": {"production": PRODUCTION, "test": TEST},
}
APART = [
    Thing(NODE, "prod-1"),
    Thing(NODE, "test-1"),
    Thing(DATASET, "claims"),
    Thing(DATASET, "sample"),
    Thing(DEPLOYMENT, "triage", ((NODE, "prod-1"),)),
    Thing(DEPLOYMENT, "triage-test", ((NODE, "test-1"),)),
    Thing(KEY, "hospital", ((DEPLOYMENT, "triage"),)),
    Thing(KEY, "ci", ((DEPLOYMENT, "triage-test"),)),
]


def plan(**changes):
    return parse(json.dumps(WHOLE | changes).encode())


def found(things=(), opened=(), by=None):
    claims = dict(draft(TENANT, by or plan(), [*APART, *things], list(opened)).claims)
    return {name: claims[name] for name in ("shared", "productionData", "unassigned")}


NOTHING = {"shared": 0, "productionData": 0, "unassigned": 0}


def test_what_stands_apart_is_counted_as_nothing():
    assert found(opened=[Opened("claims", "prod-1"), Opened("sample", "test-1")]) == NOTHING


@pytest.mark.parametrize(
    "thing",
    [
        Thing(DEPLOYMENT, "triage", ((NODE, "test-1"),)),
        Thing(KEY, "hospital", ((DEPLOYMENT, "triage"), (DEPLOYMENT, "triage-test"))),
    ],
    ids=["on-a-node-of-another", "opens-both"],
)
def test_what_leads_across_is_shared(thing):
    assert found([thing]) == NOTHING | {"shared": 1}


def test_a_name_that_two_environments_take_is_shared():
    both = plan(environments={"production": PRODUCTION, "test": TEST | {"nodes": ["*-1"]}})
    assert found(by=both)["shared"] >= 1


def test_what_two_others_share_is_not_productions_business():
    third = plan(environments={"production": PRODUCTION, "test": TEST, "lab": TEST})
    assert found(by=third) == NOTHING


@pytest.mark.parametrize("thing", [Thing(NODE, "web"), Thing(DATASET, ""), Thing(KEY, "anna"), Thing(DEPLOYMENT, "x")])
def test_what_belongs_nowhere_is_counted(thing):
    assert found([thing]) == NOTHING | {"unassigned": 1}


@pytest.mark.parametrize("node", ["test-1", "", "web"])
def test_a_dataset_of_production_that_was_opened_elsewhere_is_counted_once(node):
    assert found(opened=[Opened("claims", node)] * 3) == NOTHING | {"productionData": 1}


def test_a_dataset_that_was_opened_in_two_wrong_places_is_one_dataset():
    assert found(opened=[Opened("claims", "test-1"), Opened("claims", "")])["productionData"] == 1


def test_a_dataset_of_production_strays_onto_a_node_that_two_environments_have():
    both = plan(environments={"production": PRODUCTION, "test": TEST | {"nodes": ["test-*", "prod-1"]}})
    assert found(opened=[Opened("claims", "prod-1")], by=both)["productionData"] == 1


def test_without_a_plan_everything_belongs_nowhere():
    claims = draft(TENANT, NO_PLAN, APART, [Opened("claims", "prod-1")]).claims
    assert (claims["environments"], claims["unassigned"], claims["shared"]) == (0, len(APART), 0)


def test_the_details_name_what_was_found():
    made = draft(TENANT, plan(), [*APART, Thing(NODE, "web")], [Opened("claims", "web")])
    assert made.details["unassigned"] == [["node", "web"]]
    assert made.details["strayed"] == [["claims", "web"]]


def test_the_listing_changes_with_the_plan():
    other = plan(environments={"production": PRODUCTION, "test": TEST | {"keys": ["ci-*"]}})
    assert draft(TENANT, plan(), [], []).claims["listing"] != draft(TENANT, other, [], []).claims["listing"]


def test_runs_are_looked_at_for_as_long_as_the_claim_says():
    now, asked = datetime(2026, 11, 22, tzinfo=UTC), []
    look = Separation(plan, lambda _: APART, lambda _, since: asked.append(since) or [], lambda: now)
    assert look(TENANT).claims["windowDays"] == (now - asked[0]).days == WINDOW.days


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"production": "elsewhere"},
        {"production": 1},
        {"environments": []},
        {"environments": {}},
        {"other": 1},
        {"environments": {"production": {"boxes": []}}},
        {"environments": {"production": []}},
        {"environments": {"production": {"nodes": "prod-*"}}},
        {"environments": {"production": {"nodes": [""]}}},
        {"environments": {"production": {"nodes": [1]}}},
        {"environments": {"production": {"nodes": ["x"] * 257}}},
        {"environments": {"production": {}, **{f"e{n}": {} for n in range(32)}}},
        {"environments": {"production": {}, "x\n": {}}},
    ],
)
def test_a_file_that_is_not_a_plan_is_refused_whole(changes):
    with pytest.raises(MalformedInput):
        plan(**changes)
