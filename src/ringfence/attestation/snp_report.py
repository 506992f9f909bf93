"""Attestation reports of AMD SEV-SNP, versions 2 and 3, and what VCEK and VLEK certificates say of their chip.

Source: AMD, SEV Secure Nested Paging Firmware ABI Specification (56860), 1.55, tables 9 (policy), 22 and 23 (report);
Versioned Chip Endorsement Key Certificate and KDS Interface Specification (57230), 0.51, table 8 (extensions).
Numbers are little-endian, those of the signature too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

from ringfence.attestation import der, signatures
from ringfence.attestation.certificates import Certificate
from ringfence.attestation.cursor import Cursor
from ringfence.kernel.errors import MalformedInput

SIZE, SIGNED = 0x4A0, 0x2A0
VCEK, VLEK = 0, 1
SMT, RESERVED_ONE, MIGRATION_AGENT, DEBUG, SINGLE_SOCKET = 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20
KNOWN_POLICY = (1 << 25) - 1
SMT_RUNNING = 1 << 0  # of platform info
_VERSIONS = frozenset({2, 3})
_ECDSA_P384 = 1
_NUMBER = 72
_CHIP, _SHORT_CHIP = 64, 8
_EXTENSIONS = "1.3.6.1.4.1.3704.1."
_PARTS = MappingProxyType({"bootLoader": 0, "tee": 1, "snp": 6, "microcode": 7})
_PARTS_TURIN = MappingProxyType({"fmc": 0, "bootLoader": 1, "tee": 2, "snp": 3, "microcode": 7})
_CERTIFIED = MappingProxyType({"bootLoader": "3.1", "tee": "3.2", "snp": "3.3", "microcode": "3.8", "fmc": "3.9"})


@dataclass(frozen=True, slots=True)
class Report:
    """A report, read; nothing is verified."""

    data: bytes
    version: int
    guest_svn: int
    policy: int
    vmpl: int
    current_tcb: bytes
    platform: int
    key: int  # VCEK, VLEK, or another number
    masks_chip: bool
    report_data: bytes
    measurement: bytes
    host_data: bytes
    reported_tcb: bytes
    chip: bytes
    committed_tcb: bytes
    launch_tcb: bytes
    r: int
    s: int


def parse(data: bytes) -> Report:
    """Parse a report; raise `MalformedInput`."""
    if len(data) != SIZE:
        raise MalformedInput(f"an SEV-SNP report has {SIZE} bytes, not {len(data)}")
    cursor = Cursor(data, "the SEV-SNP report")
    version = cursor.little(4, "the version")
    if version not in _VERSIONS:
        raise MalformedInput(f"the SEV-SNP report is of version {version}; known are 2 and 3")
    guest_svn, policy = cursor.little(4, "the guest's version"), cursor.little(8, "the policy")
    cursor.take(32, "family and image")
    vmpl = cursor.little(4, "the privilege level")
    if cursor.little(4, "the signature's algorithm") != _ECDSA_P384:
        raise MalformedInput("the SEV-SNP report is not signed by ECDSA on P-384")
    current, platform = cursor.take(8, "the current TCB"), cursor.little(8, "the platform")
    flags = cursor.little(4, "the flags")
    cursor.zeros(4, "a reserved field")
    report_data, measurement = cursor.take(64, "the report data"), cursor.take(48, "the measurement")
    host_data = cursor.take(32, "the host's data")
    cursor.take(48 + 48 + 32 + 32, "digests of keys, and ids of the report")
    reported = cursor.take(8, "the reported TCB")
    cursor.take(24, "the processor's model")
    chip, committed = cursor.take(64, "the chip"), cursor.take(8, "the committed TCB")
    cursor.take(8, "firmware versions")
    launch = cursor.take(8, "the TCB at launch")
    cursor.at = SIGNED
    r, s = cursor.little(_NUMBER, "r"), cursor.little(_NUMBER, "s")
    cursor.zeros(SIZE - SIGNED - 2 * _NUMBER, "what follows the signature")
    return Report(
        data, version, guest_svn, policy, vmpl, current, platform, flags >> 2 & 7, bool(flags & 2), report_data,
        measurement, host_data, reported, chip, committed, launch, r, s,
    )  # fmt: skip


def is_signed(report: Report, spki: bytes) -> bool:
    """Return whether the key signed the report."""
    signed = report.data[:SIGNED]
    return signatures.ecdsa_numbers(signatures.key(spki), report.r, report.s, signed, hashes.SHA384())


def product(certificate: Certificate) -> str:
    """Return the product that a certificate names, such as Milan; empty where it names none."""
    extension = certificate.extensions.get(_EXTENSIONS + "2")
    if extension is None:
        return ""
    return der.text(der.Nodes(extension.value).any("the product"), "the product").split("-")[0]


def parts(tcb: bytes, name: str) -> Mapping[str, int]:
    """Return the version of each part of a TCB of 8 bytes."""
    places = _PARTS_TURIN if name == "Turin" else _PARTS
    return {part: tcb[place] for part, place in places.items()}


def certified_parts(certificate: Certificate) -> Mapping[str, int]:
    """Return the versions for which a chip's certificate was issued."""
    found: dict[str, int] = {}
    for part, number in _CERTIFIED.items():
        if extension := certificate.extensions.get(_EXTENSIONS + number):
            found[part] = der.integer(der.only(extension.value, der.INTEGER, part), part)
    return found


def hardware_id(certificate: Certificate) -> bytes:
    """Return the chip for which a VCEK was issued, 64 bytes; empty where none is named."""
    extension = certificate.extensions.get(_EXTENSIONS + "4")
    if extension is None:
        return b""
    if len(extension.value) == _CHIP:  # the usual way: the bytes themselves
        return extension.value
    if len(extension.value) == _SHORT_CHIP:  # Turin, whose reports fill the rest with zeros
        return extension.value.ljust(_CHIP, b"\0")
    return der.only(extension.value, der.OCTETS, "the chip").content


def provider(certificate: Certificate) -> str:
    """Return the cloud provider for which a VLEK was issued; empty in a VCEK."""
    extension = certificate.extensions.get(_EXTENSIONS + "5")
    return der.text(der.Nodes(extension.value).any("the provider"), "the provider") if extension else ""
