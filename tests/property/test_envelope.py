"""Envelopes under mutation: each is refused within the family, or is the very same bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import envelope
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import Subject
from ringfence.testing import keys

KEY = keys.ed25519(7)
SIGNED = keys.state(KEY, "dataset.sealed", {"objects": 3, "name": "ä"}, Subject("dataset/a", Digest.of(b"a")))
MUTATIONS = 2000


def mutated(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + rng.randrange(1, 9) :]
        case 2:
            return data[:place] + rng.randbytes(rng.randrange(1, 9)) + data[place:]
        case 3:
            other = rng.randrange(len(data))
            return data[:place] + data[other : other + 16] + data[place:]
        case _:
            return data[:place]


def test_two_thousand_mutations_are_refused_or_equal():
    rng = random.Random(20261122)  # noqa: S311 - the same mutations every time
    outcomes = {"same": 0, "malformed": 0, "unverified": 0}
    for _ in range(MUTATIONS):
        changed = mutated(SIGNED.data, rng)
        try:
            envelope.parse(changed).verify(keys.public(KEY))
        except MalformedInput:
            outcomes["malformed"] += 1
        except VerificationFailed:
            outcomes["unverified"] += 1
        else:
            assert changed == SIGNED.data
            outcomes["same"] += 1
    assert sum(outcomes.values()) == MUTATIONS
    assert outcomes["malformed"] > 0
    assert outcomes["unverified"] > 0


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed_input(data):
    with pytest.raises(MalformedInput):
        envelope.parse(data)


@given(st.binary(min_size=1, max_size=64))
def test_no_public_key_raises_anything_but_a_negative_verdict(public_key):
    with pytest.raises(VerificationFailed):
        SIGNED.verify(public_key)
