"""Kill the process anywhere while it starts or stops nodes: each comes up once, or is gone, and nothing is left."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.lifecycle import Order
from ringfence.compute.model import NodeClass, NodeState
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.testing.nodes import CARL, Killed, World

ORDER = Order("alpha", NodeClass.NAMESPACE)


@pytest.mark.parametrize("place", range(16))
def test_a_start_that_is_killed_makes_one_node_or_none(place):
    world = World()
    compute = world.compute()
    world.kill_at = place
    with suppress(Killed):
        compute.start(CARL, ORDER)
    world.kill_at = -1
    compute = world.compute()
    for _ in range(4):
        compute.sweep(first=True)
    assert len(world.provider.makes) <= 1
    rows = list(world.rows["nodes"].values())
    assert [row.state for row in rows] == [NodeState.READY] * len(rows)
    assert len(world.said("node.started")) == len(rows)
    again = compute.start(CARL, ORDER)
    assert again.state is NodeState.READY
    assert len(world.provider.makes) == 1
    assert world.said("node.requested") == ["node.requested"]


NAMES = st.sampled_from(["alpha", "beta"])
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "ask", "stop", "sweep", "die", "vanish", "break", "mend", "late"]),
        NAMES,
        st.integers(0, 9),
    ),
    max_size=24,
)


@given(ACTS)
def test_whatever_happens_every_row_comes_to_its_end(acts):
    world, dying = World(), -1
    compute = world.compute()
    for act, name, place in acts:
        world.kill_at = -1 if dying < 0 else 2 * len(world.effects) + dying
        dying = place if act == "die" else -1
        try:
            step(world, compute, act, name)
        except Killed:
            compute = world.compute()
        except RingfenceError:
            pass
    world.kill_at = -1
    world.provider.broken.clear()
    compute = world.compute()
    for _ in range(4):
        assert not compute.sweep(first=True).problems
        world.clock.advance(timedelta(seconds=1))
    judge(world)


def step(world, compute, act, name):
    missing = Unavailable("bwrap is missing; install bubblewrap")
    steps = {
        "start": lambda: compute.start(CARL, Order(name, NodeClass.NAMESPACE)),
        "ask": lambda: compute.start(CARL, Order(name, NodeClass.NAMESPACE), wait=False),
        "stop": lambda: compute.stop(CARL, name),
        "sweep": compute.sweep,
        "vanish": world.provider.ports.clear,
        "break": lambda: world.provider.broken.update(create=missing),
        "mend": world.provider.broken.clear,
        "late": lambda: world.clock.advance(timedelta(minutes=4)),
    }
    steps.get(act, lambda: None)()  # `die` is what the caller does


def judge(world):
    rows = list(world.rows["nodes"].values())
    live = [row for row in rows if not row.ended]
    assert {row.state for row in live} <= {NodeState.READY}
    assert world.provider.existing() == {row.id for row in live}
    assert len({row.spec.name for row in live}) == len(live)
    assert len(world.said("node.requested")) == len(rows)
    ends = sum(row.ended for row in rows)
    assert len(world.said("node.failed", "node.stopped")) == ends
    for row in rows:
        said = [draft.predicate for _, draft in world.stated if draft.claims["node"] == row.id]
        assert said[0] == "node.requested"
        assert said.count("node.started") == (1 if row.ready_at else 0)
