"""Change anything of a piece of evidence: it is refused, or it says exactly what it said before."""

import contextlib
import random
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.attestation import credential, document, reference, tpm_structures
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Activation, Binding, Family, Nonce, SnpValues, TdxValues
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, ENDORSEMENT_USE, Authority, SoftTpm, booted, expected, measured, values_of
from ringfence.testing.confidential import MEASUREMENT, SnpChip, TdxPlatform

FEW, MANY = 200, 10_000
COUNTS = [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
BINDING = Binding(b"n" * 32, b"key", Digest.of(b"workload"), "patients")
FILES = {"/usr/bin/a": b"a"}
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()


def tpm():
    made, root = SoftTpm(), Authority.root()
    log = made.boots(booted())
    files = measured(FILES, made)
    certificate = root.certify("EK", made.ek_key, use=ENDORSEMENT_USE)
    wanted = expected(Family.TPM2, values_of(made, log, FILES), (root.trusted(software=False),))
    return made.evidence(BINDING, certificate=certificate, log=log, files=files), wanted, BINDING


def snp():
    chip = SnpChip()
    values = SnpValues(frozenset({MEASUREMENT}), {"snp": 8, "microcode": 115}, "Milan")
    evidence = chip.evidence(chip.report(BINDING.digest), crl=chip.root.revoking())
    return evidence, expected(Family.SEV_SNP, values, (chip.root.trusted(software=False),)), BINDING


def tdx(version):
    platform = TdxPlatform()
    values = TdxValues(frozenset({MEASUREMENT}), {number: frozenset({bytes((number,)) * 48}) for number in range(3)})
    wanted = expected(Family.TDX, values, (platform.root.trusted(software=False),))
    return platform.evidence(platform.quote(BINDING.digest, version=version)), wanted, BINDING


MAKERS = {
    "tpm2": tpm,
    "sev-snp": snp,
    "tdx-4": lambda: tdx(4),
    "tdx-5": lambda: tdx(5),
    "nvidia-gpu": lambda: (samples.gpu(), samples.gpu_expected(), samples.GPU_NONCE),
}


def judged(evidence, wanted, bound):
    return appraise(evidence, wanted, bound, AT, activation=Activation.PROVEN)


def changed(data, draw):
    """Return other bytes: flipped, removed, added, repeated or cut off."""
    place = draw.randrange(len(data))
    end = min(len(data), place + draw.choice([1, 1, 2, 8, 64]))
    kind = draw.randrange(6)
    if kind <= 1:
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
    if kind == 2:
        return data[:place] + data[end:]
    if kind == 3:
        return data[:place] + draw.randbytes(end - place) + data[place:]
    if kind == 4:
        return data[:end] + data[place:end] + data[end:]
    return data[:place]


def parts(evidence):
    """Return the names of the fields that hold bytes, or a list of them."""
    return [name for name in evidence.__slots__ if isinstance(getattr(evidence, name), bytes | tuple)]


def mutated(evidence, draw):
    """Return the evidence with one field changed."""
    name = draw.choice(parts(evidence))
    value = getattr(evidence, name)
    if isinstance(value, bytes):
        return name, replace(evidence, **{name: changed(value, draw)})
    if not value:
        return name, evidence
    place = draw.randrange(len(value))
    return name, replace(evidence, **{name: (*value[:place], changed(value[place], draw), *value[place + 1 :])})


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("family", MAKERS)
def test_changed_evidence_is_refused_or_says_the_same(family, count):
    evidence, wanted, bound = MAKERS[family]()
    right = judged(evidence, wanted, bound)
    assert right.acceptable
    draw = random.Random(20261123)  # noqa: S311 -- no secret
    refused = 0
    for _ in range(count):
        name, other = mutated(evidence, draw)
        try:
            done = judged(other, wanted, bound)
        except MalformedInput:
            refused += 1
            continue
        if done.acceptable:  # what nobody signed may differ, such as bytes after a quote: it must not be read
            assert (done.device, done.measurements) == (right.device, right.measurements), name
        refused += not done.acceptable
    assert refused > count // 2


@pytest.mark.parametrize("family", MAKERS)
def test_evidence_cut_off_anywhere_is_refused(family):
    evidence, wanted, bound = MAKERS[family]()
    for name in parts(evidence):
        value = getattr(evidence, name)
        if not isinstance(value, bytes) or name in {"crl", "event_log", "ima"}:
            continue
        for size in range(0, len(value), max(1, len(value) // 60)):
            with pytest.raises(MalformedInput):
                judged(replace(evidence, **{name: value[:size]}), wanted, bound)


@pytest.mark.parametrize("count", COUNTS)
def test_changed_documents_are_refused_or_say_the_same(count):
    evidence, wanted, bound = snp()
    written = digest.dumps(document.to_json(evidence))
    signed = reference.sign(reference.payload(wanted), KEY)
    expecting = reference.open_signed(signed, [PUBLIC])
    draw = random.Random(20261124)  # noqa: S311 -- no secret
    for _ in range(count):
        with contextlib.suppress(MalformedInput):
            other = document.parse(changed(written, draw))
            assert other == evidence or not judged(other, wanted, bound).acceptable
        with contextlib.suppress(MalformedInput, VerificationFailed):
            assert reference.open_signed(changed(signed, draw), [PUBLIC]) == expecting


@pytest.mark.parametrize("count", COUNTS)
def test_a_changed_credential_opens_for_nobody(count):
    made = SoftTpm()
    draw = random.Random(20261125)  # noqa: S311 -- no secret
    given = credential.make(tpm_structures.parse_public(made.ek), made.name, b"s" * 32, draw.randbytes)
    assert made.activate(given) == b"s" * 32
    for _ in range(count):
        blob = bytearray(given.blob)
        blob[draw.randrange(4, len(blob))] ^= 1 << draw.randrange(8)
        with pytest.raises(VerificationFailed):
            made.activate(credential.Credential(bytes(blob), given.secret))


def test_a_replay_for_another_challenge_is_refused_for_every_family():
    for maker in MAKERS.values():
        evidence, wanted, _ = maker()
        assert not judged(evidence, wanted, Binding(b"o" * 32, b"key", BINDING.workload, "patients")).acceptable
        assert not judged(evidence, wanted, Nonce(b"o" * 32)).acceptable
        assert not judged(evidence, wanted, None).acceptable
