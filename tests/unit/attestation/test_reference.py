import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.attestation import reference
from ringfence.attestation.model import Claim, Family, GpuValues, SnpValues, TdxValues
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, Authority, SoftTpm, booted, expected, values_of

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
TPM = SoftTpm()
ROOTS = (Authority.root().trusted(software=False), Authority.root("Lab", 5).trusted())
DOCUMENTS = [
    expected(Family.TPM2, values_of(TPM, TPM.boots(booted()), {"/bin/a": b"a"}), ROOTS),
    expected(Family.SEV_SNP, SnpValues(frozenset({b"m" * 48}), {"snp": 8}, "Milan", 1, False, True), ROOTS),
    expected(
        Family.TDX, TdxValues(frozenset({b"m" * 48}), {0: frozenset({b"r" * 48})}, frozenset({"UpToDate"}), 17), ROOTS
    ),
    expected(Family.NVIDIA_GPU, GpuValues(frozenset({"GH100"})), ROOTS, samples.GENUINE),
]
IDS = [document.family.value for document in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_a_document_gives_back_what_is_expected(document):
    payload = reference.payload(document)
    assert reference.parse(payload) == replace(document, digest=Digest.of(payload))
    opened = reference.open_signed(reference.sign(payload, KEY), [b"x" * 32, PUBLIC], at=AT)
    assert opened == replace(document, digest=Digest.of(payload), signer=Digest.of(PUBLIC).hex)


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_a_document_has_its_fields_and_no_others(document):
    written = json.loads(reference.payload(document))
    for where in (written, written["values"]):
        for name in list(where):
            kept = where.pop(name)
            with pytest.raises(MalformedInput):
                reference.parse(digest.dumps(written))
            where[name] = {"nonsense": 1}
            with pytest.raises(MalformedInput):
                reference.parse(digest.dumps(written))
            where[name] = kept
        where["more"] = 1
        with pytest.raises(MalformedInput):
            reference.parse(digest.dumps(written))
        del where["more"]
    assert reference.parse(digest.dumps(written))


def changed(document, **fields):
    return digest.dumps(json.loads(reference.payload(document)) | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"demands": ["signature", "chain", "fresh"]},  # a document that lets debugging pass
        {"demands": [claim.value for claim in Claim] + ["trust"]},
        {"roots": []},
        {"roots": [{"label": "x", "spki": "YWI=", "hardware": True}]},
        {"roots": [{"label": "x", "hardware": True}]},
        {"validUntil": "2028-01-01T00:00:00.000Z"},  # longer than a year
        {"validUntil": "2026-10-01T00:00:00.000Z"},  # ends before it begins
        {"madeAt": "2026-11-23"},
        {"format": "urn:ringfence:attestation-reference:v2"},
        {"family": "tdx"},
    ],
)
def test_what_is_not_accepted(fields):
    with pytest.raises(MalformedInput):
        reference.parse(changed(DOCUMENTS[0], **fields))


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        (0, {"pcrs": []}),
        (0, {"pcrs": [24]}),
        (0, {"pcrs": [True]}),
        (0, {"golden": {"15": ["00" * 32]}}),  # of a PCR that is not demanded
        (0, {"golden": {"0": []}}),
        (0, {"events": {"grub": ["00" * 32]}}),
        (0, {"ima": {"/bin/a": ["sha1:" + "0" * 40]}}),
        (0, {"ima": {"/bin/a": []}}),
        (1, {"leastTcb": {"microcode": 256}}),
        (1, {"leastTcb": {"bios": 1}}),
        (1, {"measurements": ["00" * 32]}),
        (2, {"statuses": ["Revoked"]}),
        (2, {"rtmrs": {"4": ["00" * 48]}}),
        (3, {"models": [1]}),
    ],
)
def test_values_that_mean_nothing(number, fields):
    document = DOCUMENTS[number]
    values = json.loads(reference.payload(document))["values"] | fields
    with pytest.raises(MalformedInput):
        reference.parse(changed(document, values=values))


def test_only_those_who_may_say_what_is_right():
    signed = reference.sign(reference.payload(DOCUMENTS[0]), KEY)
    with pytest.raises(VerificationFailed, match="none of those given"):
        reference.open_signed(signed, [Ed25519PrivateKey.generate().public_key().public_bytes_raw()])
    with pytest.raises(VerificationFailed, match="none of those given"):
        reference.open_signed(signed, [])


def test_a_changed_document_is_refused():
    signed = json.loads(reference.sign(reference.payload(DOCUMENTS[0]), KEY))
    other = json.loads(reference.sign(reference.payload(DOCUMENTS[1]), KEY))
    with pytest.raises(VerificationFailed, match="does not match"):
        reference.open_signed(digest.dumps(signed | {"payload": other["payload"]}), [PUBLIC])
    for wrong in (
        json.dumps(signed, indent=1).encode(),  # another form of the same
        digest.dumps(signed | {"payloadType": "application/vnd.in-toto+json"}),
        digest.dumps(signed | {"signatures": signed["signatures"] * 2}),
        digest.dumps(signed | {"payload": "!"}),
        b"{}",
    ):
        with pytest.raises(MalformedInput):
            reference.open_signed(wrong, [PUBLIC])


def test_a_document_that_is_over_is_said_to_be():
    signed = reference.sign(reference.payload(DOCUMENTS[0]), KEY)
    with pytest.raises(VerificationFailed, match="hold until"):
        reference.open_signed(signed, [PUBLIC], at=AT + timedelta(days=40))


def test_nothing_is_signed_that_would_not_be_read():
    with pytest.raises(MalformedInput):
        reference.sign(b"{}", KEY)


def test_a_root_is_named_once():
    root = json.loads(reference.payload(DOCUMENTS[0]))["roots"][0]
    with pytest.raises(MalformedInput, match="twice"):
        reference.parse(changed(DOCUMENTS[0], roots=[root | {"hardware": True}, root | {"hardware": False}]))
