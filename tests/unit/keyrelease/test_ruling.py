"""Rules come with the references that they name, and registers do not go back in time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of, sign
from ringfence.kernel.errors import Conflict, NotFound, TooManyAttempts
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import Issuance, Strength, to_payload
from ringfence.keyrelease import rules, sites
from ringfence.keyrelease.ruling import MOST_REGISTERS, REGISTER, REPLACED
from ringfence.testing.clock import START
from ringfence.testing.home import LOG
from ringfence.testing.keyrelease import ANNA, TENANT, World


def register(key, start, devices=()):
    return sites.sign(key, provider="N", issued_at=start, expires_at=start + timedelta(days=9), devices=list(devices))


def signed(rule):
    key = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    issuer = KeyId(key_id_of(key.public_key().public_bytes_raw()))
    issuance = Issuance(TENANT, LOG, issuer, Strength.DOCUMENTED, 1, "0" * 32, "x", START)
    return sign(to_payload(rules.draft(rule).issued(issuance)), key)


def test_the_newest_register_of_each_key_counts_and_an_older_one_is_not_taken_back():
    world = World()
    ruling, now = world.service().ruling, world.clock.now()
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    for key in keys:
        ruling.register(ANNA, register(key, now))
    newer = ruling.register(ANNA, register(keys[0], now + timedelta(hours=1)))
    with pytest.raises(Conflict):
        ruling.register(ANNA, register(keys[0], now))
    found = ruling.registers(TENANT)
    assert len(found) == 2
    assert newer in found


def test_a_register_that_was_replaced_is_kept_as_evidence_and_read_no_more():
    """A release names the register that it rested on."""
    world = World()
    ruling, now, key = world.service().ruling, world.clock.now(), Ed25519PrivateKey.generate()
    old, fresh = register(key, now), register(key, now + timedelta(hours=1))
    for document in (old, fresh, fresh):
        ruling.register(ANNA, document)
    assert world.store.documents(TENANT, REGISTER) == [fresh]
    assert world.store.documents(TENANT, REPLACED) == [old]
    with pytest.raises(Conflict):
        ruling.register(ANNA, old)
    assert [one.digest for one in ruling.registers(TENANT)] == [Digest.of(fresh)]


def test_a_provider_says_one_thing_at_a_time():
    world = World()
    ruling, now, key = world.service().ruling, world.clock.now(), Ed25519PrivateKey.generate()
    ruling.register(ANNA, register(key, now))
    with pytest.raises(Conflict):
        ruling.register(ANNA, register(key, now, [{"device": "tpm2:x", "country": "DE", "site": "s"}]))


def test_registers_of_so_many_keys_are_kept():
    world = World()
    ruling, now = world.service().ruling, world.clock.now()
    keys = [Ed25519PrivateKey.from_private_bytes(bytes((number,)) * 32) for number in range(MOST_REGISTERS + 1)]
    for key in keys[:-1]:
        ruling.register(ANNA, register(key, now))
    with pytest.raises(TooManyAttempts):
        ruling.register(ANNA, register(keys[-1], now))
    ruling.register(ANNA, register(keys[0], now + timedelta(hours=1)))


def test_a_register_is_no_reference():
    world = World()
    ruling, rule = world.service().ruling, world.allow()
    found = ruling.register(ANNA, register(Ed25519PrivateKey.generate(), world.clock.now()))
    with pytest.raises(NotFound, match="reference"):
        ruling.allow(ANNA, signed(replace(rule, references=frozenset({found.digest}))), None, [])
    assert "admit" not in world.order
