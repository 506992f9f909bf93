"""Nodes beside their baselines, and who may say that a machine of one's own is right."""

import pytest

from ringfence.compute.configuration import Fact
from ringfence.compute.model import NodeClass
from ringfence.compute.statements import BASELINE
from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.testing.nodes import BERT, TENANT, World


@pytest.fixture
def world():
    return World()


def own(world):
    """A machine of one's own is an entry that nobody knows a baseline of until somebody accepts one."""
    compute = world.compute()
    node = world.ready(compute, "alpha")
    provider = compute.desk.provider(node)
    provider.node_class = NodeClass.OWN
    provider.baselines[node.id] = {}
    provider.ports[node.id].facts = {Fact.SSHD: "aa", Fact.REMOVABLE: "blocked"}
    return compute, node, provider


def accepted(world):
    return [draft for _, draft in world.stated if draft.predicate == BASELINE]


def test_a_node_as_it_was_made_differs_in_nothing(world):
    compute = world.compute()
    world.ready(compute, "alpha")
    (one,) = compute.baselines.compared(TENANT)
    assert (one.drifted, one.unknown, one.because) == ([], [], "")


def test_a_node_that_was_changed_names_what(world):
    compute = world.compute()
    node = world.ready(compute, "alpha")
    provider = compute.desk.provider(node)
    provider.ports[node.id].facts = {**provider.baseline(node.spec), Fact.SSHD: "ff", Fact.LISTENING: "22,4444"}
    (one,) = compute.baselines.compared(TENANT)
    assert one.drifted == [Fact.LISTENING, Fact.SSHD]


def test_a_node_that_does_not_answer_is_unknown_and_says_why(world):
    compute = world.compute()
    node = world.ready(compute, "alpha")
    compute.desk.provider(node).broken["configuration"] = Unavailable("it takes too long")
    (one,) = compute.baselines.compared(TENANT)
    assert one.drifted == []
    assert one.unknown
    assert one.because == "it takes too long"


def test_a_machine_without_a_baseline_is_unknown(world):
    compute, _, _ = own(world)
    (one,) = compute.baselines.compared(TENANT)
    assert (one.drifted, one.unknown) == ([], ["baseline"])


def test_what_a_person_accepted_is_what_is_compared_with_and_is_on_record(world):
    compute, _, provider = own(world)
    facts, _ = compute.baselines.accept(BERT, "alpha")
    assert facts == {Fact.SSHD: "aa", Fact.REMOVABLE: "blocked"}
    (one,) = compute.baselines.compared(TENANT)
    assert (one.drifted, one.unknown) == ([], [])
    provider.ports[one.node].facts = {**facts, Fact.SSHD: "bb"}
    assert compute.baselines.compared(TENANT)[0].drifted == [Fact.SSHD]
    compute.baselines.accept(BERT, "alpha")
    first, second = accepted(world)
    assert first.claims["changed"] == [Fact.REMOVABLE, Fact.SSHD]
    assert second.claims["changed"] == [Fact.SSHD]
    assert second.claims["by"] == BERT.id


def test_nobody_declares_a_node_of_ours_right(world):
    compute = world.compute()
    world.ready(compute, "alpha")
    with pytest.raises(Conflict):
        compute.baselines.accept(BERT, "alpha")
    assert accepted(world) == []


def test_a_node_that_is_not_ready_is_not_accepted(world):
    compute, node, _ = own(world)
    compute.stop(BERT, "alpha")
    with pytest.raises(Conflict):
        compute.baselines.accept(BERT, "alpha")
    assert [one.node for one in compute.baselines.compared(TENANT)] == []
    assert node.id
