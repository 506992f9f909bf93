"""What needs no network; the rest is the contract, in tests/contract/test_providers.py."""

import pytest

from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.records import Record, Records
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.testing.clock import FakeClock
from ringfence.testing.compute import spec

NODE = spec().node


def absent():
    raise Unavailable("nft is missing")


@pytest.fixture
def provider(tmp_path):
    return NamespaceProvider(tmp_path / "nodes", absent, KeyFileAuthority(tmp_path / "ca", FakeClock()))


def test_an_offer_says_what_stands_against_it(provider):
    offer = provider.offer()
    assert not offer.available
    assert "missing" in offer.because


def test_a_folder_that_a_crash_left_is_seen(provider, tmp_path):
    assert provider.existing() == frozenset()
    (tmp_path / "nodes" / NODE).mkdir(parents=True)
    assert provider.existing() == {NODE}
    assert not provider.inspect(NODE).running


def test_nodes_of_another_class_are_left_alone(provider, tmp_path):
    records = Records(tmp_path / "nodes")
    records.begin(Record(NODE, "vm"))
    assert provider.existing() == frozenset()
    provider.destroy(NODE)
    assert records.read(NODE) is not None
    with pytest.raises(NotFound):
        provider.endpoint(NODE)
