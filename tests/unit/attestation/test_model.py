import hashlib

import pytest

from ringfence.attestation.model import RELEASE, Appraisal, Binding, Claim, Family, Judged, Level, Root
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.attestation import Authority, SoftTpm, expected, values_of, written

WORKLOAD = Digest.of(b"workload")


def test_a_binding_is_the_digest_of_its_labelled_parts_after_their_lengths():
    parts = (b"ringfence attestation binding v1", b"n" * 32, b"key", WORKLOAD.value, b"patients")
    encoded = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert Binding(b"n" * 32, b"key", WORKLOAD, "patients").digest == hashlib.sha256(encoded).digest()


def test_no_two_bindings_share_a_digest_because_a_border_moved():
    one = Binding(b"n" * 32, b"ab", WORKLOAD, "c").digest
    assert one != Binding(b"n" * 32, b"a", WORKLOAD, "bc").digest
    assert one != Binding(b"m" * 32, b"ab", WORKLOAD, "c").digest


@pytest.mark.parametrize(
    ("nonce", "key", "dataset"),
    [(b"n" * 31, b"k", "d"), (b"n" * 32, b"", "d"), (b"n" * 32, b"k", ""), (b"n" * 32, b"k", "\udc80")],
)
def test_a_binding_lacks_nothing(nonce, key, dataset):
    with pytest.raises(MalformedInput):
        Binding(nonce, key, WORKLOAD, dataset)


def appraisal(demanded, **levels):
    claims = {claim: Judged(Level(levels.get(claim.value, "none")), "why") for claim in Claim}
    return Appraisal(Family.TPM2, claims, frozenset(demanded))


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.AFFIRMING])
def test_only_affirming_is_acceptable(level):
    demanded = {Claim.SIGNATURE, Claim.FRESH}
    assert appraisal(demanded, signature="affirming", fresh="affirming").acceptable
    lacking = appraisal(demanded, signature="affirming", fresh=level.value)
    assert not lacking.acceptable
    assert lacking.lacking == (Claim.FRESH,)


def test_what_is_contradicted_is_refused_though_nobody_demands_it():
    done = appraisal({Claim.SIGNATURE}, signature="affirming", collateral="contraindicated")
    assert done.lacking == (Claim.COLLATERAL,)
    assert not done.acceptable
    assert appraisal({Claim.SIGNATURE}, signature="affirming", collateral="warning").acceptable


def test_who_demands_nothing_accepts_nothing():
    everything = {claim.value: "affirming" for claim in Claim}
    assert not appraisal((), **everything).acceptable
    assert not Appraisal(Family.TPM2, {}, frozenset({Claim.BOOT})).acceptable


def test_the_form_of_an_appraisal_names_every_claim():
    shown = appraisal({Claim.BOOT}, boot="warning").to_json()
    assert set(shown["claims"]) == {claim.value for claim in Claim}
    assert shown["lacking"] == ["boot"]
    assert shown["acceptable"] is False


def test_a_root_is_named_by_its_key_and_a_program_unless_it_is_said():
    root = Root(b"spki", "maker")
    assert root.software
    assert root.key == Digest.of(b"spki")


def test_what_a_release_rests_on():
    tpm = SoftTpm()
    values = values_of(tpm, written([]))
    roots = (Authority.root().trusted(),)
    assert expected(Family.TPM2, values, roots).suffices_for_release
    assert not expected(Family.TPM2, values, roots, RELEASE[Family.TPM2] - {Claim.BOUND}).suffices_for_release
    assert RELEASE[Family.NVIDIA_GPU] == frozenset(Claim)
