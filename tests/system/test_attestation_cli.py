"""`ringfence attestation`, as a person uses it: without an installation."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.attestation import document, reference
from ringfence.attestation.model import Binding, Claim, Family
from ringfence.kernel.digest import Digest
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import ENDORSEMENT_USE, Authority, SoftTpm, booted, expected, values_of
from ringfence.testing.program import called

BINDING = Binding(b"n" * 32, b"node key", Digest.of(b"workload"), "patients")
AT = ("--at", "2026-11-23T00:00:00Z")


@pytest.fixture
def ringfence(tmp_path):
    """Run a verb where there is no installation."""

    def run(*arguments, code=0):
        done = called({"RINGFENCE_HOME": str(tmp_path / "none")}, "attestation", *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr

    return run


@pytest.fixture
def files(tmp_path):
    """Write the key of whoever says what is right, in both halves."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "public.pem").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return tmp_path


def write(folder, evidence, wanted):
    (folder / "evidence.json").write_text(json.dumps(document.to_json(evidence)))
    (folder / "values.json").write_bytes(reference.payload(wanted))


def verified(ringfence, files, *more, code=0):
    signed = ("--expect", files / "signed.json", "--signer", files / "public.pem")
    return ringfence("verify", files / "evidence.json", *signed, *AT, *more, code=code)


def test_a_report_with_a_good_signature_is_refused(ringfence, files):
    write(files, samples.snp(), samples.snp_expected())
    signed = ringfence("sign", files / "values.json", "--key", files / "key.pem", "-o", files / "signed.json", "--json")
    assert (signed["family"], signed["sufficesForRelease"]) == ("sev-snp", False)
    nonce = ("--nonce", samples.SNP_NONCE.digest.hex())
    text = verified(ringfence, files, *nonce, code=1)
    assert "refused: debug not shown" in text
    assert "This does not show:" in text
    shown = verified(ringfence, files, *nonce, "--json", code=1)
    assert shown["lacking"] == ["debug"]
    assert shown["claims"]["signature"]["level"] == "affirming"
    assert set(shown["claims"]) == {claim.value for claim in Claim}
    assert shown["expected"]["digest"] == signed["digest"]


def test_a_software_tpm_is_called_one_and_a_file_shows_no_identity(ringfence, files):
    tpm, root = SoftTpm(), Authority.root()
    log = tpm.boots(booted())
    certificate = root.certify("EK", tpm.ek_key, use=ENDORSEMENT_USE)
    demands = frozenset({Claim.SIGNATURE, Claim.CHAIN, Claim.FRESH, Claim.BOUND, Claim.DEBUG, Claim.BOOT})
    wanted = expected(Family.TPM2, values_of(tpm, log), (root.trusted(),), demands)
    write(files, tpm.evidence(BINDING, certificate=certificate, log=log), wanted)
    ringfence("sign", files / "values.json", "--key", files / "key.pem", "-o", files / "signed.json")
    (files / "node.key").write_bytes(BINDING.node_key)
    bound = ("--nonce", BINDING.nonce.hex(), "--node-key", files / "node.key")
    bound += ("--workload", BINDING.workload, "--dataset", BINDING.dataset)
    shown = verified(ringfence, files, *bound, "--json")
    assert shown["acceptable"]
    assert shown["softwareTpm"]
    assert shown["claims"]["identity"]["level"] == "warning"
    assert any("is a program" in sentence for sentence in shown["notShown"])
    assert verified(ringfence, files, *bound[:-1], "other", "--json", code=1)["lacking"] == ["fresh", "bound"]
    assert "answers another challenge" in verified(ringfence, files, "--nonce", "00" * 32, code=1)


def test_what_is_not_right_is_said_in_one_sentence(ringfence, files):
    write(files, samples.gpu(), samples.gpu_expected())
    ringfence("sign", files / "values.json", "--key", files / "key.pem", "-o", files / "signed.json")
    assert "has at most 64 bytes" in verified(ringfence, files, "--nonce", "00" * 65, code=2)
    assert "hexadecimal" in verified(ringfence, files, "--nonce", "xyz", code=2)
    assert "all four" in verified(ringfence, files, "--nonce", "00" * 32, "--dataset", "d", code=2)
    other = Ed25519PrivateKey.generate().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (files / "public.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM, form))
    assert "none of those given" in verified(ringfence, files, code=1)
    (files / "public.pem").write_text("no key")
    assert "not a public key" in verified(ringfence, files, code=2)
    (files / "values.json").write_text("{}")
    said = ringfence("sign", files / "values.json", "--key", files / "key.pem", "-o", files / "none.json", code=2)
    assert "is missing" in said
    assert not (files / "none.json").exists()
    (files / "key.pem").chmod(0o644)
    ringfence("sign", files / "signed.json", "--key", files / "key.pem", "-o", files / "none.json", code=2)


def test_digests_of_what_will_be_started(ringfence, tmp_path):
    (tmp_path / "initrd").write_bytes(b"initrd")
    machine = samples.machine()
    shown = ringfence("measure", "--initrd", tmp_path / "initrd", "--cmdline", machine["cmdline"], "--json")
    assert shown["events"]["initrd"] == [hashlib.sha256(b"initrd").hexdigest()]
    # What a real machine logged for this line.
    assert shown["events"]["cmdline"] == ["e437315a3cec9aa4398fb60f34d93a24a50ebad98b5ff05a3da8a5e627042bc5"]
    assert "no PE image" in ringfence("measure", "--kernel", tmp_path / "initrd", code=2)
    assert "name a kernel" in ringfence("measure", code=2)
