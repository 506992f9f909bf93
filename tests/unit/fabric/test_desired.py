from dataclasses import replace

import pytest

from ringfence.fabric import desired
from ringfence.fabric.desired import Desired, Port
from ringfence.fabric.model import PortState
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable


@pytest.fixture
def two():
    state = Desired()
    for node in ("a", "b"):
        state = desired.admit(desired.attach(state, node, pid=7, network=9), node)
    return desired.permit(state, "a", "b", 22)


def test_ports_have_addresses_of_their_own():
    ports = [Port(slot) for slot in range(desired.MOST_PORTS)]
    assert len({port.address for port in ports} | {port.gateway for port in ports}) == 2 * len(ports)
    assert (ports[70].gateway, ports[70].address, ports[70].interface) == ("10.203.1.25", "10.203.1.26", "n70")
    assert not {desired.CONTROL, desired.FORENSIC} & {port.address for port in ports}
    assert all(len(port.interface) <= 15 for port in ports)


def test_attached_is_not_admitted_and_admitted_is_not_quarantined(two):
    state = desired.attach(two, "c")
    assert [state.port(node).state for node in "ac"] == [PortState.ADMITTED, PortState.ATTACHED]
    cut = desired.quarantine(state, "a")
    assert cut.port("a").state is PortState.QUARANTINED
    assert not cut.admits("a")
    assert cut.admits("b")
    with pytest.raises(Refused):
        desired.admit(cut, "a")


def test_attaching_again_asks_for_admission_again(two):
    assert desired.attach(two, "a").port("a").state is PortState.ATTACHED


def test_release_restores_exactly(two):
    before = desired.pre_state(two, "a")
    cut = desired.quarantine(two, "a")
    assert desired.pre_state(cut, "a") == before
    assert desired.quarantine(cut, "a") == cut
    assert desired.release(cut, "a", before) == two


@pytest.mark.parametrize(
    "change",
    [
        lambda state: desired.permit(state, "b", "a", 80),
        lambda state: desired.forbid(state, "a", "b", 22),
        lambda state: desired.expose(state, "a", 80),
        lambda state: desired.detach(state, "b"),
    ],
)
def test_release_is_refused_where_the_policy_changed(two, change):
    cut = desired.quarantine(two, "a")
    before = desired.pre_state(cut, "a")
    changed = change(cut)
    with pytest.raises(Conflict):
        desired.release(changed, "a", before)
    assert desired.release(changed, "a", desired.pre_state(changed, "a")).port("a").state is PortState.ADMITTED


def test_what_is_not_quarantined_cannot_be_released(two):
    with pytest.raises(Conflict):
        desired.release(two, "a", desired.pre_state(two, "a"))


def test_others_may_change_during_a_quarantine(two):
    cut = desired.quarantine(two, "a")
    before = desired.pre_state(cut, "a")
    assert desired.release(desired.expose(cut, "b", 80), "a", before).port("a").state is PortState.ADMITTED


def test_detach_forgets_a_node_but_not_a_quarantine(two):
    gone = desired.detach(two, "a")
    assert (dict(gone.ports).keys(), gone.permits) == ({"b"}, frozenset())
    cut = desired.detach(desired.quarantine(two, "a"), "a")
    assert cut.port("a").state is PortState.QUARANTINED
    assert cut.permits == two.permits
    back = desired.attach(cut, "a")
    assert back.port("a").state is PortState.QUARANTINED
    assert desired.release(back, "a", desired.pre_state(back, "a")).port("a").state is PortState.ADMITTED
    assert "a" not in desired.release(cut, "a", desired.pre_state(cut, "a")).ports
    assert desired.detach(two, "never") == two


def test_policy_needs_nodes(two):
    for work in (
        lambda: desired.permit(two, "a", "z", 1),
        lambda: desired.permit(two, "z", "a", 1),
        lambda: desired.expose(two, "z", 1),
        lambda: desired.quarantine(two, "z"),
        lambda: desired.admit(desired.attach(two, "out", outside="203.0.113.7"), "out"),
    ):
        with pytest.raises(NotFound):
            work()


def test_an_outside_address_is_attached_once(two):
    state = desired.attach(two, "out", outside="203.0.113.7")
    with pytest.raises(Conflict):
        desired.attach(state, "other", outside="203.0.113.7")
    with pytest.raises(Conflict):
        desired.attach(state, "a", outside="203.0.113.8")
    assert desired.attach(state, "out", outside="203.0.113.7") == state


@pytest.mark.parametrize("address", [desired.CONTROL, desired.FORENSIC, desired.WITNESS.address, "10.203.0.10"])
def test_nobody_outside_has_an_address_of_the_fabric(two, address):
    # The way to it would be shorter than the one to the node that is given it next.
    with pytest.raises(Refused):
        desired.attach(two, "out", outside=address)


def test_the_witness_is_nobody_whom_a_verb_can_name(two):
    assert desired.WITNESS.interface not in {Port(slot).interface for slot in range(desired.MOST_PORTS)}
    assert not {desired.CONTROL, desired.FORENSIC} & {desired.WITNESS.address, desired.WITNESS.gateway}
    assert desired.WITNESS not in two.ports.values()


def test_blocks_end(two):
    state = desired.block(desired.block(two, "203.0.113.7", 100), "203.0.113.8", 0)
    assert desired.expired(state, 99) is state
    assert dict(desired.expired(state, 100).blocked) == {"203.0.113.8": 0}
    assert dict(desired.unblock(state, "203.0.113.8").blocked) == {"203.0.113.7": 100}
    with pytest.raises(Refused):
        desired.block(state, "10.203.0.2", 0)


def test_a_new_block_finds_room():
    full = replace(Desired(), blocked={f"198.51.{i // 256}.{i % 256}": i + 1 for i in range(desired.MOST_RULES)})
    more = desired.block(full, "203.0.113.7", 0)
    assert len(more.blocked) == desired.MOST_RULES
    assert "198.51.0.0" not in more.blocked
    assert "203.0.113.7" in more.blocked


def test_bounds():
    state = Desired()
    for number in range(desired.MOST_PORTS):
        state = replace(state, ports={**state.ports, f"n{number}": Port(number)})
    with pytest.raises(Unavailable):
        desired.attach(state, "one-more")


def test_what_is_there_already_needs_no_room(two):
    numbers = range(1, desired.MOST_RULES + 1)
    full = replace(
        two, permits=frozenset(("a", "b", each) for each in numbers), exposes=frozenset(("a", each) for each in numbers)
    )
    assert desired.permit(full, "a", "b", 1) == desired.expose(full, "a", 1) == full
    with pytest.raises(Unavailable):
        desired.permit(full, "b", "a", 1)
    with pytest.raises(Unavailable):
        desired.expose(full, "b", 1)


def test_state_survives_its_file(two):
    state = desired.block(desired.expose(desired.quarantine(two, "b"), "a", 80), "203.0.113.7", 5)
    assert desired.load(desired.dump(state)) == state
    assert desired.digest(state) != desired.digest(two)
