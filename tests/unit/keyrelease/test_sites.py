"""Site registers: a provider's word counts by its key, for its devices, in its time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel import digest as json
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, VerificationFailed
from ringfence.keyrelease import sites
from ringfence.keyrelease.model import PlaceKind
from ringfence.testing.clock import START
from ringfence.testing.keyrelease import ANNA, WISH, World

PROVIDER = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
PUBLIC = PROVIDER.public_key().public_bytes_raw().hex()


def register(devices=(("tpm2:sha256:" + "0" * 64, "DE"),), key=PROVIDER, start=START, days=30):
    listed = [{"device": name, "country": code, "site": "hall 2"} for name, code in devices]
    return sites.sign(
        key, provider="Nordlicht", issued_at=start, expires_at=start + timedelta(days=days), devices=listed
    )


def test_a_register_is_verified_by_the_key_that_it_names():
    found = sites.verify(register())
    assert (found.key, found.provider) == (PUBLIC, "Nordlicht")
    good = json.loads(register())
    other = json.loads(register(devices=(("tpm2:x", "FR"),)))
    with pytest.raises(VerificationFailed):
        sites.verify(json.dumps({**good, "payload": other["payload"]}))


@pytest.mark.parametrize("change", [{"more": 1}, {"payloadType": "x"}, {"signatures": []}, {"payload": "!"}])
def test_what_is_no_register_is_refused(change):
    with pytest.raises((MalformedInput, VerificationFailed)):
        sites.verify(json.dumps({**json.loads(register()), **change}))


def test_a_device_that_stands_twice_is_refused():
    with pytest.raises(MalformedInput):
        sites.verify(register(devices=(("tpm2:x", "FR"), ("tpm2:x", "DE"))))


@pytest.fixture
def world():
    made = World()
    made.allow(
        places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.PROVIDER_SIGNED}), registers=frozenset({PUBLIC})
    )
    return made


def test_a_place_that_the_provider_signed_counts_beside_the_evidence(world):
    service = world.service()
    with pytest.raises(Refused):
        service.release(ANNA, replace(WISH, place="DE"))
    service.ruling.register(ANNA, register())
    service.release(ANNA, WISH)
    claims = world.said("key.released")[0].claims
    assert (claims["place"], claims["placeKind"]) == ("DE", "provider-signed")
    assert claims["register"] == str(Digest.of(register()))


@pytest.mark.parametrize(
    "other",
    [
        register(key=Ed25519PrivateKey.from_private_bytes(b"q" * 32)),
        register(devices=(("tpm2:another", "DE"),)),
        register(devices=(("tpm2:sha256:" + "0" * 64, "US"),)),
        register(start=START - timedelta(days=40)),
        register(start=START + timedelta(days=1)),
    ],
    ids=["another key", "another device", "another country", "expired", "not yet valid"],
)
def test_a_register_that_does_not_say_so_leaves_the_denial(world, other):
    service = world.service()
    service.ruling.register(ANNA, other)
    with pytest.raises(Refused, match="place"):
        service.release(ANNA, WISH)


def test_an_older_register_is_not_taken_back(world):
    service = world.service()
    service.ruling.register(ANNA, register(start=START - timedelta(days=1)))
    service.ruling.register(ANNA, register())
    with pytest.raises(Conflict):
        service.ruling.register(ANNA, register(start=START - timedelta(days=2)))


def test_the_newest_register_of_a_key_decides(world):
    service = world.service()
    service.ruling.register(ANNA, register())
    world.clock.advance(timedelta(hours=1))
    service.ruling.register(ANNA, register(devices=(), start=world.clock.now()))
    with pytest.raises(Refused, match="place"):
        service.release(ANNA, WISH)


def test_where_two_providers_disagree_nobody_knows_the_place(world):
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    named = frozenset({PUBLIC, other.public_key().public_bytes_raw().hex()})
    world.allow(places=frozenset({"DE"}), place_kinds=frozenset(PlaceKind) - {PlaceKind.ATTESTED}, registers=named)
    service = world.service()
    device = world.nodes["alpha"].device.name
    service.ruling.register(ANNA, register(((device, "DE"),)))
    service.ruling.register(ANNA, register(((device, "DE"),), key=other))
    assert service.release(ANNA, WISH)
    service.ruling.register(ANNA, register(((device, "US"),), key=other, start=START + timedelta(seconds=1)))
    world.clock.advance(timedelta(seconds=2))
    with pytest.raises(Refused, match="place"):
        service.release(ANNA, replace(WISH, place="DE"))
    assert world.said("key.denied")[-1].claims["placeKind"] == "none"
