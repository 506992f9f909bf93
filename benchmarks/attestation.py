"""Judging one piece of evidence of each family, in CPU time of one process; a TPM's beside tpm2_checkquote."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measurement import Row, timed

from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import (
    Activation,
    Binding,
    Bound,
    Evidence,
    Expected,
    Family,
    SnpValues,
    TdxValues,
)
from ringfence.kernel.digest import Digest
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, ENDORSEMENT_USE, Authority, SoftTpm, booted, expected, measured, values_of
from ringfence.testing.confidential import MEASUREMENT, SnpChip, TdxPlatform

RUNS = 200
LIMIT = 20.0
BINDING = Binding(b"n" * 32, b"key", Digest.of(b"workload"), "patients")
FILES = {f"/usr/bin/program-{number}": str(number).encode() for number in range(500)}
ROOT = Path(__file__).parents[1] / ".tools" / "testing" / "root"
Case = tuple[Evidence, Expected, Bound]


def a_tpm() -> Case:
    """Return a quote over 12 PCRs, a log of 15 events, and an IMA list of 501 files."""
    tpm, root = SoftTpm(), Authority.root()
    log = tpm.boots(booted())
    files = measured(FILES, tpm)
    certificate = root.certify("EK", tpm.ek_key, use=ENDORSEMENT_USE)
    wanted = expected(Family.TPM2, values_of(tpm, log, FILES), (root.trusted(),))
    return tpm.evidence(BINDING, certificate=certificate, log=log, files=files), wanted, BINDING


def a_guest_of_amd() -> Case:
    """Return a report with its chain and a revocation list; the chain of the published one is of RSA-4096."""
    chip = SnpChip()
    values = SnpValues(frozenset({MEASUREMENT}), {"snp": 8, "microcode": 115}, "Milan")
    wanted = expected(Family.SEV_SNP, values, (chip.root.trusted(software=False),))
    return chip.evidence(chip.report(BINDING.digest), crl=chip.root.revoking()), wanted, BINDING


def a_guest_of_intel() -> Case:
    """Return a quote with whole collateral."""
    platform = TdxPlatform()
    values = TdxValues(frozenset({MEASUREMENT}), {number: frozenset({bytes((number,)) * 48}) for number in range(3)})
    wanted = expected(Family.TDX, values, (platform.root.trusted(software=False),))
    return platform.evidence(platform.quote(BINDING.digest)), wanted, BINDING


CASES: dict[str, Callable[[], Case]] = {
    "TPM 2.0: quote, log, IMA list of 501 files": a_tpm,
    "SEV-SNP: report, chain of P-384, revocation list": a_guest_of_amd,
    "SEV-SNP: published report, chain of RSA-4096": lambda: (
        samples.snp(),
        samples.snp_expected(),
        samples.SNP_NONCE,
    ),
    "TDX: quote v4 with whole collateral": a_guest_of_intel,
    "NVIDIA: published report of an H100": lambda: (samples.gpu(), samples.gpu_expected(), samples.GPU_NONCE),
}


def judged(case: Case) -> None:
    """Judge once."""
    evidence, wanted, bound = case
    appraise(evidence, wanted, bound, AT, activation=Activation.PROVEN)


def checkquote(folder: Path) -> list[float]:
    """Return the wall time of tpm2_checkquote over one of our quotes; empty where it is not there."""
    program = ROOT / "usr" / "bin" / "tpm2_checkquote"
    if not program.exists():
        return []
    tpm = SoftTpm()
    quote = tpm.attest(BINDING.digest)
    for name, data in (("ak.pub", tpm.ak), ("q.msg", quote), ("q.sig", tpm.sign(quote))):
        (folder / name).write_bytes(data)
    libraries = ROOT / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
    argv = [str(program), "-u", "ak.pub", "-m", "q.msg", "-s", "q.sig", "-q", BINDING.digest.hex()]
    run = partial(
        subprocess.run,
        argv,
        cwd=folder,
        env={"LD_LIBRARY_PATH": str(libraries)},
        capture_output=True,
        check=True,
    )
    return [timed(run) for _ in range(20)]


def measure() -> list[Row]:
    """Judge each in turn."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        theirs = checkquote(Path(scratch))
    for name, make in CASES.items():
        case = make()
        judged(case)
        ours = [timed(partial(judged, case), clock=time.process_time) for _ in range(RUNS)]
        is_tpm = case[1].family is Family.TPM2
        rows.append(
            Row(
                what=f"appraise {name}",
                target=f"< {LIMIT:.0f} ms CPU",
                unit="ms CPU",
                ours=ours,
                peer="tpm2_checkquote, a process" if is_tpm and theirs else "",
                theirs=theirs if is_tpm else (),
                limit=LIMIT,
                note="the peer checks signature and nonce alone, and its time is wall time with its start"
                if is_tpm
                else "",
            )
        )
    return rows
