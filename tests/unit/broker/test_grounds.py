"""Which keys a release rests on, and what a rule allows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.broker import grounds
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of, sign
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject, to_payload
from ringfence.keyrelease.model import PlaceKind
from ringfence.ledger.issuers import ENROLLED, REVOKED
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.testing.clock import START
from ringfence.testing.home import LOG, TENANT
from ringfence.testing.keyrelease import DATASET, WORKLOAD, World

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes((number,)) * 32) for number in range(1, 6)]
IDS = [KeyId(key_id_of(key.public_key().public_bytes_raw())) for key in KEYS]


def logged(entry, predicate, about, by):
    issuance = Issuance(TENANT, LOG, IDS[by], Strength.DOCUMENTED, 1, "0" * 32, "x", START)
    subject, claims = Subject(f"key/{about[:16]}", Digest.parse(about)), {"keyId": about}
    envelope = sign(to_payload(Statement(predicate, (subject,), claims, issuance)), KEYS[by])
    return LoggedStatement(entry, START, envelope, None, Standing.TRUSTED, None)


def test_a_key_brings_along_whoever_enrolled_and_ended_it_and_no_others():
    root, first, second, ender, other = range(5)
    said = [
        logged(1, ENROLLED, IDS[first], root),
        logged(2, ENROLLED, IDS[other], root),
        logged(3, ENROLLED, IDS[ender], root),
        logged(4, ENROLLED, IDS[second], first),
        logged(5, REVOKED, IDS[other], root),
        logged(6, REVOKED, IDS[first], ender),
        logged(7, PredicateName("dataset.sealed"), IDS[first], root),
    ]
    assert [one.entry for one in grounds.bearing(said, {IDS[second]})] == [1, 3, 4, 6]
    assert grounds.bearing(said, set()) == []


def release(strength=Strength.ATTESTED, demo=False, minutes=15, **claims):
    said = {
        "dataset": DATASET.dataset, "purpose": "training", "workload": str(WORKLOAD), "class": "vm", "family": "tpm2",
        "place": "", "placeKind": "none", "expiresAt": to_text(START + timedelta(minutes=minutes)),
    }  # fmt: skip
    issuance = Issuance(TENANT, LOG, IDS[0], strength, 1, "0" * 32, "x", START, demo=demo)
    subject = Subject("dataset/x", DATASET.seal)
    return Statement(PredicateName("key.released"), (subject,), said | claims, issuance)


RULE = World().allow()
PLACED = replace(RULE, places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.DECLARED}))


@pytest.mark.parametrize(
    ("rule", "statement", "lacking"),
    [
        (RULE, release(), []),
        (RULE, release(dataset="e" * 32), ["this dataset"]),
        (RULE, release(purpose="serving"), ["this purpose"]),
        (RULE, release(workload="sha256:" + "0" * 64), ["this workload"]),
        (RULE, release(workload=3, purpose=None), ["this purpose", "this workload"]),
        (RULE, release(**{"class": "namespace"}), ["this class of node"]),
        (RULE, release(family="sev-snp"), ["this kind of evidence"]),
        (RULE, release(minutes=16), ["a lease of this length"]),
        (RULE, release(Strength.OBSERVED), ["evidence of this strength"]),
        (RULE, release(Strength.LAB_ATTESTED, demo=True), ["evidence of this strength"]),
        (replace(RULE, software_tpm=True), release(Strength.LAB_ATTESTED), ["evidence of this strength"]),
        (replace(RULE, software_tpm=True), release(Strength.LAB_ATTESTED, demo=True), []),
        (PLACED, release(place="DE", placeKind="declared"), []),
        (PLACED, release(place="DE", placeKind="provider-signed"), ["this kind of place"]),
        (PLACED, release(place="US", placeKind="declared"), ["this place"]),
    ],
)
def test_a_rule_allows_what_it_names(rule, statement, lacking):
    assert grounds.not_allowed(rule, statement, START) == lacking


@pytest.mark.parametrize("document", [None, {}, {"rule": 1, "keys": []}, {"rule": {}, "keys": [], "more": 1}])
def test_what_is_none_is_refused(document):
    with pytest.raises(MalformedInput):
        grounds.parse_grounds(document)
