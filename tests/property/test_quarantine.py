"""Kill the process anywhere while it cuts a node off or frees it: what follows is never half-open and never double."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.model import Containment, NodeState
from ringfence.kernel.errors import RingfenceError
from ringfence.testing.nodes import ANNA, BERT, TENANT, Killed, World

EVERYWHERE = 2 * 14  # both sides of each of fourteen effects: more than a quarantine or a release has


def made():
    world = World()
    compute = world.compute()
    return world, compute, world.ready(compute)


def killed(world, act, place):
    """Do something in a process that dies at the given place; return a process after the restart."""
    world.kill_at = 2 * len(world.effects) + place
    try:
        act()
    except Killed:
        world.kill_at = -1
        return world.compute(), True
    world.kill_at = -1
    return world.compute(), False


def swept(compute):
    problems = compute.sweep(first=True).problems + compute.sweep().problems
    assert not problems


@pytest.mark.parametrize("place", range(EVERYWHERE))
def test_killed_while_it_cuts_off(place):
    world, compute, node = made()
    compute, died = killed(world, lambda: compute.quarantine(TENANT, node.id, reason="tried", finding="f-1"), place)
    swept(compute)
    if not died:
        assert place >= 10, "the act has more effects than this test kills"
    if world.intents or world.provider.cuts:
        assert world.row(node).containment is Containment.QUARANTINED
        assert world.said("quarantine.requested") == ["quarantine.requested"]
        assert world.said("quarantine.confirmed") == ["quarantine.confirmed"]
        assert world.claims("quarantine.requested")[0]["finding"] == "f-1"
    assert len(world.provider.cuts) <= 1
    assert world.half_open() == []


@pytest.mark.parametrize("place", range(EVERYWHERE))
def test_killed_while_it_frees(place):
    world, compute, node = made()
    compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
    request = world.request(compute, node)
    approval = world.approval(node, request.digest)
    compute, died = killed(world, lambda: compute.releasing.approve(BERT, "alpha", approval, None), place)
    swept(compute)
    assert world.half_open() == []
    approved = "quarantine.release_approved" in world.said()
    assert world.said("quarantine.released") == ["quarantine.released"] * approved
    assert len(world.provider.frees) == int(approved)
    assert world.row(node).containment is (Containment.NONE if approved else Containment.QUARANTINED)
    assert died or place >= 8


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "ask", "approve", "approve-self", "stop", "sweep", "restart", "full", "up", "die"]),
        st.integers(0, 12),
    ),
    max_size=24,
)


@given(ACTS)
def test_whatever_happens_rows_wishes_and_provider_come_to_agree(acts):
    world, compute, node = made()
    request, dying = None, -1
    for act, place in acts:
        world.kill_at = -1 if dying < 0 else 2 * len(world.effects) + dying
        dying = place if act == "die" else -1
        world.clock.advance(timedelta(seconds=place))
        try:
            request = step(world, compute, node, act, request)
        except Killed:
            compute = world.compute()
        except RingfenceError:
            pass
        if act == "restart":
            compute = world.compute()
    world.kill_at, world.database = -1, "up"
    compute = world.compute()
    swept(compute)
    assert world.half_open() == []
    judge(world, node)


def step(world, compute, node, act, request):
    match act:
        case "cut":
            compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        case "ask":
            return world.request(compute, node).digest
        case "approve" | "approve-self" if request:
            who = BERT if act == "approve" else ANNA
            compute.releasing.approve(who, "alpha", world.approval(node, request, by=who), None)
        case "stop":
            compute.stop(ANNA, "alpha")
        case "sweep":
            compute.sweep()
        case "full" | "up":
            world.database = act
    return request


def judge(world, node):
    row = world.row(node)
    confirmed = [claims["number"] for claims in world.claims("quarantine.confirmed")]
    released = [claims["number"] for claims in world.claims("quarantine.released")]
    assert len(confirmed) == len(set(confirmed)), "one quarantine was confirmed twice"
    assert len(released) == len(set(released)), "one quarantine was released twice"
    assert released == [claims["number"] for claims in world.claims("quarantine.release_approved")][: len(released)]
    assert len(world.provider.frees) == len(released)
    if row.containment is Containment.QUARANTINED:
        assert row.quarantine not in released
    if row.state is NodeState.STOPPED:
        assert node.id not in world.provider.ports
