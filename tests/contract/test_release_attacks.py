"""What happens between the steps of a release: ends, erasures, other nodes, other tenants."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.attestation.model import Binding
from ringfence.kernel.errors import Conflict, Refused, TooManyAttempts, Unavailable
from ringfence.keyrelease.deciding import device_names
from ringfence.keyrelease.model import MOST_LEASES, MOST_OPEN, LeaseState
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.keyrelease import ANNA, DATASET, OTHER, TENANT, WISH, FakeAppraiser, FakeDevice, World


@pytest.fixture
def world():
    return World()


def why_ended(world):
    return [draft.claims["because"] for draft in world.said("lease.ended")]


# A lease that was ended while its key was on the way


def end_all(world):
    for lease in world.store.leases():
        world.service().leasing.end_for(ANNA, lease.id)


def test_a_lease_that_ends_while_the_key_is_wrapped_delivers_nothing(world):
    world.while_wrapping = lambda: end_all(world)
    with pytest.raises(Conflict):
        world.service().release(ANNA, WISH)
    assert not world.nodes["alpha"].given
    assert not world.store.leases()
    assert why_ended(world) == ["ended-by-person"]


def test_a_lease_that_ends_before_a_node_is_answered_stays_ended(world):
    service, node = world.service(), world.nodes["alpha"]
    drawn = service.challenge(TENANT, WISH, node.keys.public)
    evidence = node.device.evidence(Binding(drawn.nonce, drawn.node_key, drawn.workload, drawn.dataset))
    world.while_wrapping = lambda: end_all(world)
    with pytest.raises(Conflict):
        service.answer(ANNA, WISH, drawn.nonce, evidence)
    assert not world.store.leases()


def test_a_lease_that_ends_during_delivery_leaves_no_key_on_the_node(world):
    node = world.nodes["alpha"]
    opened = node.activate

    def meanwhile(credential):
        node.broken["revoke"] = Unavailable("busy")  # the end comes first, and finds the agent at work
        end_all(world)
        del node.broken["revoke"]
        return opened(credential)

    node.activate = meanwhile
    with pytest.raises(Conflict):
        world.service().release(ANNA, WISH)
    assert not node.held
    assert not world.store.leases()


def test_a_renewal_that_is_not_wrapped_takes_the_older_key_away(world):
    lease = world.service().release(ANNA, WISH)
    assert world.nodes["alpha"].held
    world.broken["wrap"] = Unavailable("the broker is away")
    with pytest.raises(Unavailable):
        world.service().renew(lease)
    assert not world.nodes["alpha"].held
    assert [draft.claims["dropped"] for draft in world.said("lease.ended")] == [True]


# What changes while a lease lives


def test_a_key_that_was_erased_is_denied_on_record(world):
    world.dataset = replace(DATASET, kept=False)
    with pytest.raises(Refused, match="erased"):
        world.service().release(ANNA, WISH)
    assert "the-key-was-erased" in world.said("key.denied")[0].claims["because"]


def test_an_erasure_between_evidence_and_decision_counts(world):
    node = world.nodes["alpha"]

    def answer(binding):
        world.dataset = replace(DATASET, kept=False)
        return node.device.evidence(binding)

    node.answer = answer
    with pytest.raises(Refused, match="erased"):
        world.service().release(ANNA, WISH)
    assert not node.held


def erased(world):
    world.dataset = replace(DATASET, kept=False)


def cut_off(world):
    node = world.nodes["alpha"]
    node.target = replace(node.target, cut_off=True)
    node.broken["identify"] = Unavailable("no way there")


def role_taken(world):
    world.barred.add(ANNA.id)


def withdrawn(world):
    world.allow(purposes=frozenset())


def gone(world):
    world.rule = None


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (erased, "the-key-was-erased"),
        (cut_off, "the-node-was-cut-off"),
        (role_taken, "who-asked-may-ask-no-more"),
        (withdrawn, "the-rule-was-withdrawn"),
        (gone, "the-rule-was-withdrawn"),
    ],
)
def test_what_takes_the_ground_from_a_lease_ends_it_in_the_next_round(world, change, because):
    world.service().release(ANNA, WISH)
    rounds = Rounds(world.service())
    assert rounds() == 0
    change(world)
    world.clock.advance(timedelta(seconds=5))
    assert rounds() == 1
    assert not world.nodes["alpha"].held
    assert because in world.said("key.denied")[-1].claims["because"]
    assert why_ended(world) == ["denied-at-renewal"]
    assert rounds() == 0


def test_another_node_of_the_same_name_is_not_what_was_challenged(world):
    node = world.nodes["alpha"]

    def answer(binding):
        evidence = node.device.evidence(binding)
        node.target = replace(node.target, node="n-0000000f")
        return evidence

    node.answer = answer
    with pytest.raises(Refused):
        world.service().release(ANNA, WISH)
    assert not world.said("key.released")
    assert world.said("key.denied")[0].claims["node"] == "n-00000001"


# Who holds whom up


def test_a_tenant_with_a_root_of_its_own_takes_no_device_from_another(world):
    """Its reference may name any root: what that root says of devices binds nobody who does not trust it."""
    device = world.nodes["alpha"].device.name
    stranger = world.node("stranger").target.node
    for name in device_names(OTHER, "sha256:" + "f" * 64, device):
        world.store.put_device(name, stranger, world.clock.now())
    assert world.service().release(ANNA, WISH).state is LeaseState.LIVE


def test_one_device_is_one_node_under_one_root_and_in_one_tenant(world):
    device = world.nodes["alpha"].device.name
    stranger = world.node("stranger").target.node
    for name in device_names(OTHER, FakeAppraiser().anchor, device):
        world.store.put_device(name, stranger, world.clock.now())
    with pytest.raises(Refused, match="same device"):
        world.service().release(ANNA, WISH)
    world.store.devices.clear()
    for name in device_names(TENANT, "sha256:" + "f" * 64, device):
        world.store.put_device(name, stranger, world.clock.now())
    with pytest.raises(Refused, match="same device"):
        world.service().release(ANNA, WISH)


def test_open_challenges_of_a_person_keep_no_lease_from_its_renewal(world):
    lease = world.service().release(ANNA, WISH)
    for _ in range(MOST_OPEN):
        world.service().challenge(TENANT, WISH, world.nodes["alpha"].keys.public)
    with pytest.raises(TooManyAttempts):
        world.service().release(ANNA, WISH)
    assert world.service().renew(lease).state is LeaseState.LIVE


def test_only_so_many_leases_of_a_node_live(world):
    world.node("beta", FakeDevice(name="tpm2:sha256:" + "b" * 64))
    for _ in range(MOST_LEASES):
        world.service().release(ANNA, WISH)
    with pytest.raises(TooManyAttempts, match="leases"):
        world.service().release(ANNA, WISH)
    world.service().release(ANNA, replace(WISH, node="beta"))
    world.service().leasing.end_for(ANNA, world.store.leases()[0].id)
    world.service().release(ANNA, WISH)
