"""Rules and site registers: read strictly, and what is unclear permits nothing."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.keyrelease import rules
from ringfence.keyrelease.model import PlaceKind
from ringfence.testing.clock import START
from ringfence.testing.keyrelease import World

PROVIDER = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
PUBLIC = PROVIDER.public_key().public_bytes_raw().hex()


def stated(draft, **claims):
    """Return the statement of a draft, with other claims."""
    from ringfence.kernel.identifier import KeyId
    from ringfence.kernel.statement import Issuance
    from ringfence.testing.home import LOG, TENANT

    issuance = Issuance(TENANT, LOG, KeyId("a" * 64), draft.strength, 1, "0" * 32, "x", START)
    return replace(draft, claims={**draft.claims, **claims}).issued(issuance)


def rule(**changes):
    return World().allow(**changes)


def test_what_is_drafted_is_read_again():
    made = rule(
        places=frozenset({"DE", "FR"}), place_kinds=frozenset({PlaceKind.DECLARED}), registers=frozenset({PUBLIC})
    )
    assert rules.read(stated(rules.draft(made))) == made


@pytest.mark.parametrize(
    "claims",
    [
        {"purposes": "training"},
        {"purposes": ["b", "a"]},
        {"purposes": ["a", "a"]},
        {"purposes": ["A"]},
        {"places": ["de"]},
        {"placeKinds": ["attested"]},
        {"families": ["sgx"]},
        {"minutes": 0},
        {"minutes": 61},
        {"minutes": True},
        {"softwareTpm": 1},
        {"registers": ["xx"]},
        {"workloads": ["0" * 64]},
        {"dataset": "x"},
        {"more": 1},
        {"purposes": [f"p{number:03}" for number in range(65)]},
    ],
)
def test_what_is_no_rule_is_refused(claims):
    with pytest.raises(MalformedInput):
        rules.read(stated(rules.draft(rule()), **claims))


def test_a_rule_about_another_subject_or_of_another_strength_is_refused():
    draft = rules.draft(rule())
    with pytest.raises(MalformedInput):
        rules.read(stated(replace(draft, subjects=(rules.subject("e" * 32),))))
    with pytest.raises(MalformedInput):
        rules.read(stated(replace(draft, strength=Strength.OBSERVED)))
