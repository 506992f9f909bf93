import json

import pytest

from ringfence.attestation import document
from ringfence.attestation.model import Nonce
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import SoftTpm, booted
from ringfence.testing.confidential import SnpChip, TdxPlatform

TPM = SoftTpm()
EVIDENCE = [
    TPM.evidence(Nonce(b"n"), certificate=b"certificate", log=TPM.boots(booted()), files=b"list"),
    TPM.evidence(Nonce(b"n")),
    samples.snp(),
    SnpChip().evidence(bytes(4), crl=b"crl"),
    samples.tdx(),
    TdxPlatform().evidence(b"quote"),
    samples.gpu(),
]


@pytest.mark.parametrize("evidence", EVIDENCE, ids=lambda evidence: evidence.family.value)
def test_a_document_gives_back_its_evidence(evidence):
    written = document.to_json(evidence)
    assert document.from_json(written) == evidence
    assert document.parse(json.dumps(written).encode()) == evidence


@pytest.mark.parametrize("evidence", EVIDENCE, ids=lambda evidence: evidence.family.value)
def test_a_document_has_its_fields_and_no_others(evidence):
    written = document.to_json(evidence)
    with pytest.raises(MalformedInput):
        document.from_json(written | {"location": "Frankfurt"})
    for name in written:
        with pytest.raises(MalformedInput):
            document.from_json(written | {name: 7})
    missing = dict(written)
    del missing["quote" if "quote" in missing else "report"]
    with pytest.raises(MalformedInput):
        document.from_json(missing)


def test_what_is_not_there_may_be_null():
    bare = EVIDENCE[1]
    assert document.from_json(document.to_json(bare) | {"ima": None, "eventLog": None, "ekCertificate": None}) == bare


@pytest.mark.parametrize("value", [None, [], {}, {"family": "sgx"}, {"family": None}, {"family": ["tpm2"]}, "tpm2"])
def test_what_is_no_document(value):
    with pytest.raises(MalformedInput):
        document.from_json(value)


@pytest.mark.parametrize(
    "pcrs",
    [
        {},
        {"sha1": {}},
        {"sha256": []},
        {"sha256": {"24": "00" * 32}},
        {"sha256": {"0": "00"}},
        {"sha256": {"00": "00" * 32}},
    ],
)
def test_pcrs_have_one_form(pcrs):
    with pytest.raises(MalformedInput):
        document.from_json(document.to_json(EVIDENCE[1]) | {"pcrs": pcrs})


def test_a_file_is_read_strictly():
    for data in (b"", b"{", b'{"family":"tpm2","family":"tdx"}', b"\xff"):
        with pytest.raises(MalformedInput):
            document.parse(data, source="evidence.json")
