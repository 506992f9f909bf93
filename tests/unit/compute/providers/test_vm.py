"""Virtual nodes, as far as no machine runs: what is unknown, what is refused, what a crash leaves behind."""

from dataclasses import replace

import pytest

from ringfence.compute.model import NodeClass, NodeId, NodeSpec, QuarantineKind
from ringfence.compute.providers.records import Record, Records
from ringfence.compute.providers.vm import SMALLEST_MIB, VmProvider
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.sandboxes import HOST_KEY

NODE = NodeId("n-0123abcd")
SPEC = NodeSpec(NODE, "alpha", Tenant("acme"), NodeClass.VM, 256, 100, 64, (), None, training=False)


class Authority:
    def certificate(self, public_key: str, *, principal: str, seconds: int, serial: int) -> str:  # noqa: ARG002
        raise AssertionError("nobody logs in here")

    def ca_public(self) -> str:
        return HOST_KEY


def no_network():
    raise Unavailable("no network here")


@pytest.fixture
def provider(tmp_path):
    return VmProvider(tmp_path / "nodes", no_network, Authority())


def test_the_offer_names_what_is_missing(provider) -> None:
    offer = provider.offer()
    assert (offer.available, offer.quarantine) == (False, QuarantineKind.OUTSIDE_GUEST)
    assert offer.because


def test_a_machine_too_small_for_the_image_is_refused(provider) -> None:
    with pytest.raises(Unavailable, match=f"at least {SMALLEST_MIB} MiB"):
        provider.create(replace(SPEC, memory_mib=SMALLEST_MIB - 1))
    assert provider.existing() == frozenset()


def test_an_unknown_node_is_not_running(provider) -> None:
    assert not provider.inspect(NODE).running
    assert not provider.ready(NODE)
    assert provider.logs(NODE) == ()
    with pytest.raises(NotFound):
        provider.endpoint(NODE)
    with pytest.raises(NotFound):
        provider.collect(NODE, seconds=1.0)
    with pytest.raises(NotFound):
        provider.probe(NODE)


def test_a_folder_without_a_machine_is_swept_up(provider, tmp_path) -> None:
    (tmp_path / "nodes" / NODE).mkdir(parents=True)
    assert provider.existing() == {NODE}


def test_a_record_whose_process_is_gone_is_not_running_and_still_there(provider, tmp_path) -> None:
    Records(tmp_path / "nodes").begin(Record(NODE, "vm", host_key=HOST_KEY, started=True))
    assert provider.inspect(NODE).detail == "the machine has ended"
    assert provider.existing() == {NODE}


def test_a_node_of_another_class_is_not_touched(provider, tmp_path) -> None:
    records = Records(tmp_path / "nodes")
    records.begin(Record(NODE, "namespace", host_key=HOST_KEY))
    provider.destroy(NODE)
    assert records.read(NODE) is not None
    assert provider.existing() == frozenset()


def test_where_the_network_is_away_a_node_is_not_forgotten(provider, tmp_path) -> None:
    Records(tmp_path / "nodes").begin(Record(NODE, "vm", host_key=HOST_KEY))
    with pytest.raises(Unavailable):
        provider.destroy(NODE)
    assert provider.existing() == {NODE}
