"""Quotes of Intel TDX, versions 4 and 5, down to the PCK certificates that stand in them.

Source: Intel, TDX DCAP Quoting Library API, 0.9, appendix A (quote v4 and v5, QE report certification data); TDX Module
1.5 ABI, TD attributes; SGX PCK Certificate and CRL Profile, 1.5, section 1.3.5 (SGX extensions). Lengths and versions
are little-endian; r, s and points are not. What stands after the length of the signature is no part of the quote and is
not read.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence.attestation import certificates, der, signatures
from ringfence.attestation.certificates import Certificate
from ringfence.attestation.cursor import Cursor
from ringfence.kernel.errors import MalformedInput

MAX_QUOTE = 64 * 1024
DEBUG = 1 << 0
UNDER_DEBUG = 0xFF  # TD attributes, TUD: any bit of it means that the host may look inside
MIGRATABLE = 1 << 29  # another guest, which the host chose, may take the memory along
SECURITY = 0xFFFFFF00  # TD attributes, SEC: they matter to whoever trusts the guest; higher ones do not
# ICSSD, LASS, SEPT_VE_DISABLE, PKS, KL: they take nothing from the guest.
HARMLESS = 1 << 16 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31
_HEADER, _BODY_10, _BODY_15, _QE_REPORT = 48, 584, 648, 384
_TDX, _P256_KEY = 0x81, 2
_INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_BODIES = {2: _BODY_10, 3: _BODY_15}
_QE_DATA, _PCK_CHAIN = 6, 5
_HALF = 32
_SGX = "1.2.840.113741.1.13.1"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?")


@dataclass(frozen=True, slots=True)
class Enclave:
    """The report of the quoting enclave."""

    data: bytes
    select: bytes
    attributes: bytes
    signer: bytes
    product: int
    version: int
    report_data: bytes


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote, read; nothing is verified."""

    version: int
    signed: bytes
    tcb: bytes  # TEE_TCB_SVN, 16 bytes
    module: bytes  # MRSEAM
    module_signer: bytes
    module_attributes: bytes
    attributes: int
    mrtd: bytes
    rtmrs: tuple[bytes, ...]
    report_data: bytes
    signature: bytes
    attestation_key: bytes
    enclave: Enclave
    enclave_signature: bytes
    enclave_data: bytes
    chain: tuple[bytes, ...]  # DER, PCK first
    after: int


def parse(data: bytes) -> Quote:
    """Parse a quote; raise `MalformedInput`."""
    if len(data) > MAX_QUOTE:
        raise MalformedInput(f"the TDX quote has {len(data)} bytes; the limit is {MAX_QUOTE}")
    cursor = Cursor(data, "the TDX quote")
    version, kind = cursor.little(2, "the version"), cursor.little(2, "the kind of key")
    if version not in {4, 5} or kind != _P256_KEY or cursor.little(4, "the kind of TEE") != _TDX:
        raise MalformedInput("the TDX quote: it is not of TDX, version 4 or 5, with a P-256 key")
    cursor.take(4, "versions")
    if cursor.take(16, "the maker") != _INTEL_QE:
        raise MalformedInput("the TDX quote: another maker's quoting enclave than Intel's")
    cursor.take(20, "the user's data")
    size = _BODY_10
    if version == 5:
        size = _BODIES.get(cursor.little(2, "the kind of body"), 0)
        if not size or cursor.little(4, "the size of the body") != size:
            raise MalformedInput("the TDX quote: its body is of no known kind")
    body = Cursor(cursor.take(size, "the body"), "the TDX quote's body")
    signed = data[: cursor.at]
    tail = Cursor(cursor.take(cursor.little(4, "the size of the signature"), "the signature"), "the TDX quote's end")
    after = cursor.left
    tcb, module, module_signer = body.take(16, "the TCB"), body.take(48, "MRSEAM"), body.take(48, "MRSIGNERSEAM")
    module_attributes, attributes = body.take(8, "SEAM attributes"), body.little(8, "TD attributes")
    body.take(8, "XFAM")
    mrtd = body.take(48, "MRTD")
    body.take(3 * 48, "the guest's configuration")
    rtmrs = tuple(body.take(48, "an RTMR") for _ in range(4))
    report_data = body.take(64, "the report data")
    signature, key = tail.take(64, "the signature"), tail.take(64, "the attestation key")
    if tail.little(2, "the kind of certification") != _QE_DATA:
        raise MalformedInput("the TDX quote: no quoting enclave's report vouches for its key")
    inner = Cursor(tail.take(tail.little(4, "its size"), "the certification"), "the TDX quote's certification")
    tail.end()
    enclave, enclave_signature = (
        _enclave(inner.take(_QE_REPORT, "the enclave's report")),
        inner.take(64, "its signature"),
    )
    enclave_data = inner.take(inner.little(2, "the size of its data"), "its data")
    if inner.little(2, "the kind of chain") != _PCK_CHAIN:
        raise MalformedInput("the TDX quote: its PCK certificates are not in it")
    chain = _certificates(inner.take(inner.little(4, "the size of the chain"), "the chain"))
    inner.end()
    return Quote(
        version, signed, tcb, module, module_signer, module_attributes, attributes, mrtd, rtmrs, report_data,
        signature, key, enclave, enclave_signature, enclave_data, chain, after,
    )  # fmt: skip


def _enclave(data: bytes) -> Enclave:
    cursor = Cursor(data, "the quoting enclave's report")
    cursor.take(16, "the processor's version")
    select = cursor.take(4, "MISCSELECT")
    cursor.take(28, "a reserved field")
    attributes = cursor.take(16, "the attributes")
    cursor.take(32 + 32, "MRENCLAVE")
    signer = cursor.take(32, "MRSIGNER")
    cursor.take(96, "a reserved field")
    product, version = cursor.little(2, "the product"), cursor.little(2, "the version")
    cursor.take(60, "a reserved field")
    return Enclave(data, select, attributes, signer, product, version, cursor.take(64, "the report data"))


def _certificates(data: bytes) -> tuple[bytes, ...]:
    text = data.rstrip(b"\0")
    found = _PEM.findall(text)
    if not 0 < len(found) <= certificates.MAX_CHAIN or _PEM.sub(b"", text):
        raise MalformedInput("the TDX quote: its PCK chain is no list of PEM certificates")
    try:
        return tuple(b64decode(part.replace(b"\n", b""), validate=True) for part in found)
    except Error as error:
        raise MalformedInput("the TDX quote: its PCK chain is no PEM") from error


def is_signed(quote: Quote, pck: Certificate) -> str:
    """Return why the quote does not hang together from its body up to the PCK key; empty where it does."""
    try:
        point = b"\x04" + quote.attestation_key
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, UnsupportedAlgorithm):
        return "its attestation key is no point of P-256"
    if not _made(key, quote.signature, quote.signed):
        return "its signature is not by its attestation key"
    bound = hashlib.sha256(quote.attestation_key + quote.enclave_data).digest() + bytes(_HALF)
    if not hmac.compare_digest(bound, quote.enclave.report_data):
        return "the quoting enclave vouches for another attestation key"
    if not _made(signatures.key(pck.spki), quote.enclave_signature, quote.enclave.data):
        return "the quoting enclave's report is not signed by the platform's PCK key"
    return ""


def _made(key: signatures.PublicKey, signature: bytes, signed: bytes) -> bool:
    r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
    return signatures.ecdsa_numbers(key, r, s, signed, hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Platform:
    """What a PCK certificate says of its platform."""

    fmspc: str  # lower-case hexadecimal digits
    pce: str
    ppid: str
    components: tuple[int, ...]  # 16
    pce_version: int


def platform(pck: Certificate) -> Platform:
    """Read the SGX extensions of a PCK certificate; raise `MalformedInput`."""
    what = "the PCK certificate's extension"
    extension = pck.extensions.get(_SGX)
    if extension is None:
        raise MalformedInput("the PCK certificate names no platform")
    fields = _pairs(der.only(extension.value, der.SEQUENCE, what), what)
    tcb = _pairs(fields.get(f"{_SGX}.2", der.Node(0, b"", b"")).expect(der.SEQUENCE, what), what)
    numbers: list[int] = []
    for index in range(1, 18):
        node = tcb.get(f"{_SGX}.2.{index}", der.Node(0, b"", b""))
        numbers.append(der.integer(node.expect(der.INTEGER, what), what))
    ppid, pce, fmspc = (
        fields.get(f"{_SGX}.{number}", der.Node(0, b"", b"")).expect(der.OCTETS, what).content.hex()
        for number in (1, 3, 4)
    )
    return Platform(fmspc, pce, ppid, tuple(numbers[:16]), numbers[16])


def _pairs(sequence: der.Node, what: str) -> dict[str, der.Node]:
    found: dict[str, der.Node] = {}
    for item in sequence.children().rest(what):
        fields = item.expect(der.SEQUENCE, what).children()
        name = der.oid(fields.next(der.OID, what), what)
        if name in found:
            raise MalformedInput(f"{what} names {name} twice")
        found[name] = fields.any(what)
        fields.end(what)
    return found
