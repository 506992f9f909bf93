"""Evidence that others published, as the tests use it; origins in tests/data/attestation/README.md."""

import base64
import json
import re
from pathlib import Path
from typing import Any

from ringfence.attestation import certificates
from ringfence.attestation.model import (
    Claim,
    Expected,
    Family,
    GpuEvidence,
    GpuValues,
    Nonce,
    Root,
    SnpEvidence,
    SnpValues,
    TdxEvidence,
    TdxValues,
)
from ringfence.testing.attestation import expected

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "data" / "attestation"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
SNP_MEASUREMENT = bytes.fromhex(
    "b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01"
)
SNP_NONCE = Nonce(bytes.fromhex("0102030405").ljust(32, b"\0"))
MRTD = bytes.fromhex("6363b8043668a3ad953278e10389574d326c6749fb78aa810ecd9336923db86f22fc00b8dcd404bc10d5e119d7215cbb")
GPU_NONCE = Nonce(bytes.fromhex("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"))
GENUINE = frozenset({Claim.SIGNATURE, Claim.CHAIN, Claim.IDENTITY, Claim.FRESH})


def read(name: str) -> bytes:
    """Return a file."""
    return (FOLDER / name).read_bytes()


def pem(name: str) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file in DER, in their order."""
    return tuple(base64.b64decode(text) for text in _PEM.findall(read(name).decode()))


def root(certificate: bytes, label: str) -> Root:
    """Return a root of hardware by a certificate of it."""
    return Root(certificates.parse(certificate).spki, label, software=False)


def snp() -> SnpEvidence:
    """Return the report of a Milan, right in everything but a policy that allows debugging."""
    ask = pem("snp/ask_ark_milan.pem")[0]
    return SnpEvidence(read("snp/milan-report-v2.bin"), read("snp/milan-vcek.der"), (ask,))


def snp_expected() -> Expected:
    """Return expectations that this report meets but for debugging."""
    values = SnpValues(frozenset({SNP_MEASUREMENT}), {"snp": 5, "microcode": 68}, "Milan")
    demands = frozenset(Claim) - {Claim.BOUND, Claim.RUNTIME, Claim.COLLATERAL}
    return expected(Family.SEV_SNP, values, (root(pem("snp/ask_ark_milan.pem")[1], "AMD ARK Milan"),), demands)


def tdx() -> TdxEvidence:
    """Return the quote of a Sapphire Rapids; no collateral in force is known for it."""
    return TdxEvidence(read("tdx/quote-v4-spr.dat"))


def tdx_expected(demands: frozenset[Claim] | None = None) -> Expected:
    """Return expectations of this quote; by default those for a release."""
    intel = root(pem("tdx/intel_sgx_root_ca.pem")[0], "Intel SGX Root CA")
    return expected(Family.TDX, TdxValues(frozenset({MRTD})), (intel,), demands)


def gpu() -> GpuEvidence:
    """Return the report of an H100."""
    return GpuEvidence(bytes.fromhex(read("nvidia/h100-report.hex").decode().strip()), pem("nvidia/h100-chain.pem"))


def gpu_expected(demands: frozenset[Claim] = GENUINE) -> Expected:
    """Return what a genuine H100 shows."""
    nvidia = root(pem("nvidia/h100-chain.pem")[-1], "NVIDIA Device Identity CA")
    return expected(Family.NVIDIA_GPU, GpuValues(frozenset({"GH100"})), (nvidia,), demands)


def machine() -> dict[str, Any]:
    """Return log, list and PCRs of a real boot under OVMF."""
    document: dict[str, Any] = json.loads(read("tpm/ovmf-boot.json"))
    return document | {
        "pcrs": {int(number): bytes.fromhex(value) for number, value in document["pcrs"].items()},
        "eventLog": base64.b64decode(document["eventLog"]),
        "ima": base64.b64decode(document["ima"]),
    }
