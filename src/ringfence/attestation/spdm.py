"""Measurements of an NVIDIA GPU as SPDM 1.1 carries them: request and response, one after the other.

Source: DMTF, DSP0274 1.1, 10.11 (GET_MEASUREMENTS, MEASUREMENTS); of the opaque part, which NVIDIA fills with fields of
type, size and content, the meaning of a few is known from reports. The signature stands where the lengths say: a report
may have bytes after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes

from ringfence.attestation import signatures
from ringfence.attestation.cursor import Cursor
from ringfence.kernel.errors import MalformedInput

REQUEST_SIZE, SIGNATURE_SIZE = 37, 96
MAX_REPORT = 64 * 1024
_VERSION, _GET, _MEASUREMENTS = 0x11, 0xE0, 0x60
_SIGNED, _ALL = 0x01, 0xFF
_DMTF = 0x01
_DRIVER, _MODEL, _VBIOS, _FWID = 3, 17, 6, 20


@dataclass(frozen=True, slots=True)
class Measured:
    """A response with the request that it answers, read; nothing is verified."""

    signed: bytes
    signature: bytes
    nonce: bytes  # of the request
    measurements: Mapping[int, bytes]
    opaque: Mapping[int, bytes]
    after: int  # how many bytes stand after the signature

    def text(self, field: int) -> str:
        """Return a field of the opaque part as text; empty where it is not there or no text."""
        return self.opaque.get(field, b"").rstrip(b"\0").decode("ascii", "replace")

    @property
    def driver(self) -> str:
        """Return the version of the driver."""
        return self.text(_DRIVER)

    @property
    def vbios(self) -> str:
        """Return the version of the VBIOS: eight bytes, of which five are shown in the usual form."""
        raw = self.opaque.get(_VBIOS, b"")
        if len(raw) != 8:
            return ""
        return ".".join(f"{octet:02x}" for octet in (*reversed(raw[:4]), raw[4]))

    @property
    def fwid(self) -> bytes:
        """Return the identity of the firmware that holds the signing key."""
        return self.opaque.get(_FWID, b"")


def parse(data: bytes) -> Measured:
    """Parse request and response; raise `MalformedInput`."""
    if len(data) > MAX_REPORT:
        raise MalformedInput(f"the GPU's report has {len(data)} bytes; the limit is {MAX_REPORT}")
    cursor = Cursor(data, "the GPU's report")
    if cursor.take(4, "the request") != bytes((_VERSION, _GET, _SIGNED, _ALL)):
        raise MalformedInput("the GPU's report: its request does not ask for all measurements, signed, in SPDM 1.1")
    nonce = cursor.take(32, "the nonce")
    cursor.take(1, "the slot")
    if cursor.take(2, "the response") != bytes((_VERSION, _MEASUREMENTS)):
        raise MalformedInput("the GPU's report: the response holds no measurements in SPDM 1.1")
    cursor.take(2, "parameters of the response")
    count = cursor.little(1, "the number of measurements")
    record = Cursor(cursor.take(cursor.little(3, "the size of the record"), "the record"), "the measurement record")
    measurements = _measurements(record, count)
    cursor.take(32, "the GPU's own nonce")
    opaque = _fields(cursor.take(cursor.little(2, "the size of the opaque part"), "the opaque part"))
    signed = data[: cursor.at]
    signature = cursor.take(SIGNATURE_SIZE, "the signature")
    return Measured(signed, signature, nonce, measurements, opaque, cursor.left)


def _measurements(record: Cursor, count: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for _ in range(count):
        index, specification = record.little(1, "an index"), record.little(1, "its specification")
        size = record.little(2, "its size")
        block = Cursor(record.take(size, "a measurement"), "a measurement")
        block.take(1, "its kind")
        value = block.take(block.little(2, "its length"), "its value")
        block.end()
        if specification != _DMTF or index in found:
            raise MalformedInput(f"the measurement record: index {index} is there twice, or of no known form")
        found[index] = value
    record.end()
    return found


def _fields(data: bytes) -> dict[int, bytes]:
    cursor = Cursor(data, "the opaque part")
    found: dict[int, bytes] = {}
    while cursor.left:
        kind = cursor.little(2, "a field's type")
        found.setdefault(kind, cursor.take(cursor.little(2, "a field's size"), "a field"))
    return found


def is_signed(measured: Measured, spki: bytes) -> bool:
    """Return whether the key signed request and response."""
    half = SIGNATURE_SIZE // 2
    r, s = (int.from_bytes(part) for part in (measured.signature[:half], measured.signature[half:]))
    return signatures.ecdsa_numbers(signatures.key(spki), r, s, measured.signed, hashes.SHA384())
