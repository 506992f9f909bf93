"""What needs no machine; the rest is the contract, and tests/system/test_own_host.py."""

import socket
from dataclasses import replace

import pytest

from ringfence.compute.model import NodeClass, QuarantineKind
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.hosts import Host, Hosts
from ringfence.compute.providers.own_host import OwnHostProvider
from ringfence.compute.providers.sshd import new_host_key
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, RingfenceError, Unavailable
from ringfence.testing.clock import FakeClock
from ringfence.testing.compute import spec

KEY = new_host_key().public


@pytest.fixture
def closed():
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        yield f"ssh://root@127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def wanted(closed):
    return spec(node_class=NodeClass.OWN, address=closed, host_key=KEY)


@pytest.fixture
def provider(tmp_path):
    return OwnHostProvider(tmp_path / "hosts", KeyFileAuthority(tmp_path / "ca", FakeClock()))


def test_the_offer_is_labelled(provider):
    offer = provider.offer()
    assert (offer.isolation, offer.quarantine, offer.limits) == ("dedicated-host", QuarantineKind.IN_GUEST, ())


def test_one_that_does_not_answer_is_not_added(provider, wanted):
    with pytest.raises(Unavailable, match="does not answer"):
        provider.create(wanted)
    assert provider.existing() == frozenset()


@pytest.mark.parametrize("changes", [{"host_key": ""}, {"address": "ssh://-x@y z"}])
def test_a_bad_order_reaches_nobody(provider, wanted, changes):
    with pytest.raises(MalformedInput):
        provider.create(replace(wanted, **changes))


def test_the_same_machine_is_not_added_twice(provider, wanted, tmp_path):
    Hosts(tmp_path / "hosts").write(Host(spec(2).node, "ssh://root@other", KEY))
    with pytest.raises(Conflict, match="shows this host key"):
        provider.create(wanted)


def test_one_that_does_not_answer_any_more_stays_what_it_was(provider, wanted, tmp_path):
    node = wanted.node
    Hosts(tmp_path / "hosts").write(Host(node, wanted.address, KEY, rules="root", met=True, cut=True, before="0" * 64))
    assert provider.isolated() == {node}
    assert provider.inspect(node).running
    assert not provider.ready(node)
    assert {probe.observed for probe in provider.probe(node) if probe.tried} == {"blocked"}
    assert not any(probe.ok for probe in provider.probe(node))
    found = provider.collect(node, seconds=1)
    assert found["processes"].startswith(b"not taken")
    with pytest.raises(RingfenceError):
        provider.restore(node, "0" * 64)
    assert provider.isolated() == {node}


def test_what_was_not_cut_off_is_restored_already(provider, wanted, tmp_path):
    Hosts(tmp_path / "hosts").write(Host(wanted.node, wanted.address, KEY, rules="root", met=True))
    provider.restore(wanted.node, "0" * 64)
    with pytest.raises(Unavailable):
        provider.isolate(wanted.node)


def test_strangers(provider):
    stranger = spec(9).node
    assert provider.logs(stranger) == ()
    assert not provider.inspect(stranger).running
    provider.destroy(stranger)
    with pytest.raises(NotFound):
        provider.endpoint(stranger)
