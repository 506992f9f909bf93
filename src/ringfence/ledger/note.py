"""Signed notes and verifier keys: c2sp.org/signed-note. Nothing here knows what a note says.

Of the assigned signature types three are known, and each has one length: Ed25519, and the two cosignatures of
c2sp.org/tlog-cosignature, which carry a time: Ed25519 and ML-DSA-44.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from ringfence.kernel.errors import MalformedInput

MAX_NOTE = 128 * 2**10  # sixteen signatures of 5 KB, which every reader must accept, in base64
_DASH = "\u2014 "


class SignatureType(IntEnum):
    """The signature types that we verify."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    ML_DSA_44 = 0x06


KEY_SIZES = {SignatureType.ED25519: 32, SignatureType.ED25519_COSIGNATURE: 32, SignatureType.ML_DSA_44: 1312}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named public key; its text form is a *vkey*."""

    name: str
    kind: SignatureType
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise MalformedInput(f"{self.name[:80]!r} cannot name a key: it is empty, or holds a space or a plus")
        if len(self.public_key) != KEY_SIZES[self.kind]:
            raise MalformedInput(f"a public key of type {self.kind} has {KEY_SIZES[self.kind]} bytes")

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that, with the name, tell whose a signature line is."""
        return sha256(self.name.encode() + b"\n" + bytes((self.kind,)) + self.public_key).digest()[:4]

    def __str__(self) -> str:
        material = encode_base64(bytes((self.kind,)) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Parse a vkey, or raise `MalformedInput`."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        material = decode_base64(encoded, "the key of a vkey")
        if material[:1] not in {bytes((kind,)) for kind in SignatureType}:
            raise MalformedInput("a vkey is of type 0x01 (Ed25519), 0x04 (Ed25519 cosignature) or 0x06 (ML-DSA-44)")
        key = cls(name, SignatureType(material[0]), material[1:])
        if key.key_id.hex() != key_id:
            raise MalformedInput(f"the key id of the vkey of {name[:80]!r} does not belong to its key")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; whether it is good is for the holder of the key to find out."""

    name: str
    key_id: bytes
    data: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Say whether the line claims to be made with `key`."""
        return (self.name, self.key_id) == (key.name, key.key_id)

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.data)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its final newline included, and its signature lines."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        lines = [f"{signature}\n" for signature in self.signatures]
        return f"{self.text}\n{''.join(lines)}"


def parse(data: str | bytes, *, source: str = "") -> Note:
    """Parse a signed note, or raise `MalformedInput`; no signature is verified."""
    if len(data) > MAX_NOTE:
        raise MalformedInput(f"the note is longer than {MAX_NOTE} bytes", source=source)
    try:
        content = data.decode() if isinstance(data, bytes) else data.encode().decode()
    except UnicodeError as error:
        raise MalformedInput("the note is not UTF-8 text", source=source) from error
    if any(character < " " and character != "\n" for character in content):
        raise MalformedInput("the note holds control characters", source=source)
    text, blank, lines = content.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise MalformedInput("not a signed note: text, an empty line, signature lines", source=source)
    return Note(text + "\n", tuple(parse_signature(line, source=source) for line in lines[:-1].split("\n")))


def is_key_name(text: str) -> bool:
    """Say whether `text` may name a key in a note."""
    return bool(text) and text.isprintable() and not any(c.isspace() or c == "+" for c in text)


def encode_base64(data: bytes) -> str:
    """Print standard base64 with padding."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, what: str) -> bytes:
    """Parse the one base64 form that `encode_base64` prints; `what` names the thing in the error."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"{what} is not base64: {error}") from error
    if encode_base64(data) != text:
        raise MalformedInput(f"{what} is not in the one form that base64 prints")
    return data


def parse_signature(line: str, *, source: str = "") -> Signature:
    """Parse one signature line without its newline, or raise `MalformedInput`; nothing is verified."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise MalformedInput("a signature line is an em dash, a key name and a signature", source=source)
    data = decode_base64(encoded, "the signature in the note")
    if len(data) <= 4:
        raise MalformedInput("a signature in the note is empty", source=source)
    return Signature(name, data[:4], data[4:])
