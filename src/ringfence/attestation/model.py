"""What attestation evidence is asked to show, and what it was judged to show."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

NONCE_SIZE = 32
REPORT_DATA_SIZE = 64  # of SEV-SNP and TDX: a binding fills the first half, and the rest is zero
_MAX_DATASET = 256
_MAX_NODE_KEY = 4096
_SURROGATE = re.compile("[\ud800-\udfff]")
_LABEL = b"ringfence attestation binding v1"


class Family(StrEnum):
    """Who makes the evidence; the values stand in evidence documents and in statements."""

    TPM2 = "tpm2"
    SEV_SNP = "sev-snp"
    TDX = "tdx"
    NVIDIA_GPU = "nvidia-gpu"


class Bound(Protocol):
    """What evidence has to carry to have been made for one challenge."""

    @property
    def digest(self) -> bytes:
        """Return the bytes that the device has to sign along."""
        ...


@dataclass(frozen=True, slots=True)
class Binding:
    """One challenge, and what its answer is good for: a node's key, a workload and a dataset.

    Raises:
        MalformedInput: the nonce has not 32 bytes, or a part is missing or too long.
    """

    nonce: bytes
    node_key: bytes  # the public key that a release is encrypted to
    workload: Digest
    dataset: str

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_SIZE:
            raise MalformedInput(f"the nonce of a challenge has {NONCE_SIZE} bytes, not {len(self.nonce)}")
        if not 0 < len(self.node_key) <= _MAX_NODE_KEY:
            raise MalformedInput(f"a node's key has 1 to {_MAX_NODE_KEY} bytes, not {len(self.node_key)}")
        if not 0 < len(self.dataset.encode(errors="replace")) <= _MAX_DATASET or _SURROGATE.search(self.dataset):
            raise MalformedInput(f"the dataset of a binding has 1 to {_MAX_DATASET} bytes of UTF-8")

    @property
    def digest(self) -> bytes:
        """Return 32 bytes: SHA-256 over a label and the four parts, each after its length (docs/specs/attestation.md).

        They are a TPM's qualifying data, the first half of SEV-SNP and TDX report data, and a GPU's nonce.
        """
        parts = (_LABEL, self.nonce, self.node_key, self.workload.value, self.dataset.encode())
        return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()


@dataclass(frozen=True, slots=True)
class Nonce:
    """A bare nonce of some other challenger: it shows freshness, and binds no key, workload or dataset."""

    digest: bytes


class Claim(StrEnum):
    """One thing that evidence may show."""

    SIGNATURE = "signature"  # the key that it names signed all that is judged
    CHAIN = "chain"  # that key descends from a maker's root, which is given by key
    IDENTITY = "identity"  # it is the key of one certain device, which has a name
    FRESH = "fresh"  # it was made after the challenge
    BOUND = "bound"  # it was made for this node key, this workload and this dataset
    DEBUG = "debug"  # nobody may look inside: no debugging, no development mode
    TCB = "tcb"  # firmware and microcode are known, and no older than demanded
    BOOT = "boot"  # what was started equals the reference values
    RUNTIME = "runtime"  # what ran since then stands in the allow-list
    COLLATERAL = "collateral"  # what makers said about their keys and versions is there, signed, and not expired


class Level(StrEnum):
    """How far a claim is shown, in the words of EAT Attestation Results (EAR)."""

    AFFIRMING = "affirming"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"
    NONE = "none"  # nothing was there to judge; never taken for anything better


@dataclass(frozen=True, slots=True)
class Judged:
    """One claim's level, and the sentence that says why."""

    level: Level
    reason: str


class Activation(StrEnum):
    """How it is known that a TPM's attestation key lives in the TPM of this endorsement key."""

    NONE = "none"
    PROVEN = "proven"  # this TPM gave back the secret of a credential made for both
    ENFORCED = "enforced"  # what is released is encrypted with a secret in such a credential: only that TPM opens it


@dataclass(frozen=True, slots=True)
class Appraisal:
    """The verdict over one piece of evidence, claim by claim."""

    family: Family
    claims: Mapping[Claim, Judged]  # holds every claim
    demanded: frozenset[Claim]
    device: str = ""  # a stable name of the device, such as `tpm2:sha256:…`; empty where none is shown
    platform: str = ""  # what it says it is, for people
    measurements: Mapping[str, str] = field(default_factory=dict)  # name -> lower-case hexadecimal digits
    software_tpm: bool = False  # signed by a program: as strong as whoever runs that program, `lab-attested`
    not_shown: tuple[str, ...] = ()  # sentences: what must not be read out of this

    @property
    def acceptable(self) -> bool:
        """Return whether every demanded claim is affirming and none is contradicted.

        Evidence of which nothing is demanded is never acceptable.
        """
        return bool(self.demanded) and not self.lacking

    @property
    def lacking(self) -> tuple[Claim, ...]:
        """Return the claims that keep it from being acceptable, in the order of `Claim`."""
        return tuple(claim for claim in Claim if self._is_lacking(claim))

    def _is_lacking(self, claim: Claim) -> bool:
        level = self.claims[claim].level if claim in self.claims else Level.NONE
        return level is Level.CONTRAINDICATED or (claim in self.demanded and level is not Level.AFFIRMING)

    def to_json(self) -> dict[str, object]:
        """Return the form in which front ends and statements show it."""
        return {
            "family": self.family.value,
            "acceptable": self.acceptable,
            "demanded": [claim.value for claim in Claim if claim in self.demanded],
            "lacking": [claim.value for claim in self.lacking],
            "claims": {
                claim.value: {"level": judged.level.value, "reason": judged.reason}
                for claim, judged in self.claims.items()
            },
            "device": self.device,
            "platform": self.platform,
            "measurements": dict(self.measurements),
            "softwareTpm": self.software_tpm,
            "notShown": list(self.not_shown),
        }


# --- what evidence holds, parsed but not judged ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TpmEvidence:
    """What a node's TPM 2.0 says; every field as the node sent it."""

    ak: bytes  # TPM2B_PUBLIC of the attestation key
    ek: bytes  # TPM2B_PUBLIC of the endorsement key
    ek_certificate: bytes | None  # DER
    quote: bytes  # TPMS_ATTEST
    signature: bytes  # TPMT_SIGNATURE
    pcrs: Mapping[int, bytes]  # of the SHA-256 bank
    event_log: bytes | None  # TCG crypto-agile log
    ima: bytes | None  # ascii_runtime_measurements
    ek_chain: tuple[bytes, ...] = ()  # DER, between the EK certificate and a root

    family = Family.TPM2


@dataclass(frozen=True, slots=True)
class SnpEvidence:
    """An attestation report of AMD SEV-SNP, and the certificates beside it."""

    report: bytes
    certificate: bytes | None  # DER of the VCEK or VLEK
    chain: tuple[bytes, ...] = ()  # DER: ASK or ASVK; the ARK may stand last
    crl: bytes | None = None  # DER, signed by the ARK

    family = Family.SEV_SNP


@dataclass(frozen=True, slots=True)
class TdxEvidence:
    """A quote of Intel TDX, in which its certificates stand, and the collateral beside it."""

    quote: bytes
    tcb_info: bytes | None = None  # Intel's JSON answer, as it was sent
    qe_identity: bytes | None = None  # Intel's JSON answer, as it was sent
    tcb_chain: tuple[bytes, ...] = ()  # DER: the TCB signing certificate; the root may stand last
    pck_crl: bytes | None = None  # DER
    root_crl: bytes | None = None  # DER

    family = Family.TDX


@dataclass(frozen=True, slots=True)
class GpuEvidence:
    """The SPDM measurements of an NVIDIA GPU: request and response as they went over the wire."""

    report: bytes
    chain: tuple[bytes, ...] = ()  # DER, leaf first

    family = Family.NVIDIA_GPU


Evidence = TpmEvidence | SnpEvidence | TdxEvidence | GpuEvidence


# --- what is expected ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Root:
    """A maker's root, given by its key: a certificate that only has the right name is another root."""

    spki: bytes  # DER SubjectPublicKeyInfo
    label: str
    software: bool = True  # whoever holds it signs for programs; hardware has to be said

    @property
    def key(self) -> Digest:
        """Return the digest by which people name the key."""
        return Digest.of(self.spki)


@dataclass(frozen=True, slots=True)
class TpmValues:
    """Reference values of a measured boot."""

    pcrs: frozenset[int]  # a quote over fewer is refused
    golden: Mapping[int, frozenset[bytes]] = field(default_factory=dict)  # PCR -> values that are right
    events: Mapping[str, frozenset[bytes]] = field(default_factory=dict)  # kernel, initrd, cmdline -> SHA-256
    ima: Mapping[str, frozenset[str]] = field(default_factory=dict)  # path -> `sha256:…` digests
    least_firmware: int = 0  # of TPMS_ATTEST


@dataclass(frozen=True, slots=True)
class SnpValues:
    """Reference values of an SEV-SNP guest."""

    measurements: frozenset[bytes]  # 48 bytes each
    least_tcb: Mapping[str, int]  # bootLoader, tee, snp, microcode (fmc on Turin)
    product: str = ""  # Milan, Genoa, Turin; empty: any
    vmpl: int = 0
    allow_smt: bool = True
    allow_migration_agent: bool = False


@dataclass(frozen=True, slots=True)
class TdxValues:
    """Reference values of a TDX guest."""

    mrtd: frozenset[bytes]  # 48 bytes each
    rtmrs: Mapping[int, frozenset[bytes]] = field(default_factory=dict)
    statuses: frozenset[str] = frozenset({"UpToDate"})  # TCB status words that are affirming
    least_evaluation: int = 0  # tcbEvaluationDataNumber


@dataclass(frozen=True, slots=True)
class GpuValues:
    """What can be said of a GPU beforehand; golden measurements are the maker's service and are not judged here."""

    models: frozenset[str]  # first words of the name in its certificate, such as GH100


Values = TpmValues | SnpValues | TdxValues | GpuValues

_ALWAYS = frozenset({Claim.SIGNATURE, Claim.CHAIN, Claim.FRESH})
# No reference document may leave these out. A GPU's report does not say in which mode it runs.
LEAST: Mapping[Family, frozenset[Claim]] = MappingProxyType(
    {family: _ALWAYS if family is Family.NVIDIA_GPU else _ALWAYS | {Claim.DEBUG} for family in Family}
)
# What a document has to demand before a key is released by it. A GPU's report never shows all that.
RELEASE: Mapping[Family, frozenset[Claim]] = MappingProxyType(
    {
        Family.TPM2: LEAST[Family.TPM2] | {Claim.IDENTITY, Claim.BOUND, Claim.BOOT},
        Family.SEV_SNP: LEAST[Family.SEV_SNP] | {Claim.IDENTITY, Claim.BOUND, Claim.BOOT, Claim.TCB, Claim.COLLATERAL},
        Family.TDX: LEAST[Family.TDX] | {Claim.IDENTITY, Claim.BOUND, Claim.BOOT, Claim.TCB, Claim.COLLATERAL},
        Family.NVIDIA_GPU: frozenset(Claim),
    }
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A reference document, read and its signature judged: what evidence of one family has to show."""

    family: Family
    name: str
    demands: frozenset[Claim]
    roots: tuple[Root, ...]
    values: Values
    made_at: datetime
    valid_until: datetime  # after that nothing is affirmed by it
    digest: Digest  # of the document's bytes
    signer: str = ""  # key id of who signed it; empty where it was built in the program

    @property
    def suffices_for_release(self) -> bool:
        """Return whether it demands all that a released key has to rest on."""
        return self.demands >= RELEASE[self.family]
