"""Structures of TPM 2.0: public areas, names, quotes and their signatures.

Source: TCG, Trusted Platform Module Library, part 2 (structures), revision 1.59: sections 10 to 12. Narrowed to RSA and
to the curves P-256 and P-384, and to SHA-256, SHA-384 and SHA-512.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ringfence.attestation import signatures
from ringfence.attestation.cursor import Cursor
from ringfence.kernel.errors import MalformedInput

RSA, ECC = 0x0001, 0x0023
AES, CFB, NULL = 0x0006, 0x0043, 0x0010
SHA256, SHA384, SHA512 = 0x000B, 0x000C, 0x000D
RSASSA, RSAPSS, ECDSA = 0x0014, 0x0016, 0x0018
HASHES: Mapping[int, hashes.HashAlgorithm] = {
    SHA256: hashes.SHA256(),
    SHA384: hashes.SHA384(),
    SHA512: hashes.SHA512(),
}
CURVES: Mapping[int, ec.EllipticCurve] = {0x0003: ec.SECP256R1(), 0x0004: ec.SECP384R1()}
MAX_PUBLIC, MAX_QUOTE, MAX_SIGNATURE = 1024, 1024, 1024
PCRS = 24
_MAGIC, _QUOTE = 0xFF544347, 0x8018
_MAX_NAME, _MAX_EXTRA, _MAX_DIGEST, _MAX_NUMBER = 68, 64, 64, 512
_USUAL_EXPONENT = 65537

FIXED_TPM, FIXED_PARENT, SENSITIVE_ORIGIN = 1 << 1, 1 << 4, 1 << 5
RESTRICTED, DECRYPT, SIGN, X509_SIGN = 1 << 16, 1 << 17, 1 << 18, 1 << 19
_KNOWN_ATTRIBUTES = 0x000F0CF6


@dataclass(frozen=True, slots=True)
class Scheme:
    """An algorithm with its hash; 0x0010 (NULL) with hash 0 where none is fixed."""

    algorithm: int
    hash: int = 0


@dataclass(frozen=True, slots=True)
class Symmetric:
    """With what a storage key protects what is below it."""

    algorithm: int
    bits: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Public:
    """A TPMT_PUBLIC, read; nothing is verified."""

    area: bytes
    kind: int
    name_algorithm: int
    attributes: int
    symmetric: Symmetric
    scheme: Scheme
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    point: tuple[bytes, bytes] | None = None  # of a curve, as the TPM writes them

    @property
    def name(self) -> bytes:
        """Return the Name: the algorithm, then the digest of the public area (part 1, section 16)."""
        return self.name_algorithm.to_bytes(2) + digest(self.name_algorithm, self.area)

    @property
    def spki(self) -> bytes:
        """Return the key as a DER SubjectPublicKeyInfo."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_bytes(serialization.Encoding.DER, form)

    def has(self, *bits: int) -> bool:
        """Return whether all of these attributes are set."""
        return all(self.attributes & bit for bit in bits)


def digest(algorithm: int, data: bytes) -> bytes:
    """Hash by a TPM algorithm id."""
    if algorithm not in HASHES:
        raise MalformedInput(f"the hash 0x{algorithm:04x} of a TPM is not taken here")
    return hashlib.new(HASHES[algorithm].name, data).digest()


def parse_public(data: bytes, what: str = "the public area") -> Public:
    """Parse a TPM2B_PUBLIC; raise `MalformedInput`."""
    outer = Cursor(data, what)
    area = outer.sized(MAX_PUBLIC, "the area")
    outer.end()
    cursor = Cursor(area, what)
    kind = cursor.big(2, "the type")
    name_algorithm = cursor.big(2, "the hash of the name")
    if name_algorithm not in HASHES or kind not in {RSA, ECC}:
        raise MalformedInput(f"{what}: the type 0x{kind:04x} or the hash 0x{name_algorithm:04x} is not taken here")
    attributes = cursor.big(4, "the attributes")
    if attributes & ~_KNOWN_ATTRIBUTES:
        raise MalformedInput(f"{what}: the attributes 0x{attributes:08x} hold bits that mean nothing")
    cursor.sized(_MAX_DIGEST, "the policy")
    symmetric = _symmetric(cursor)
    scheme = _scheme(cursor)
    point: tuple[bytes, bytes] | None = None
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    if kind == RSA:
        key = _rsa_key(cursor, what)
    else:
        key, point = _ecc_key(cursor, what)
    cursor.end()
    return Public(area, kind, name_algorithm, attributes, symmetric, scheme, key, point)


def _symmetric(cursor: Cursor) -> Symmetric:
    algorithm = cursor.big(2, "the symmetric algorithm")
    if algorithm == NULL:
        return Symmetric(NULL)
    if algorithm != AES:
        raise MalformedInput(f"{cursor.what}: the symmetric algorithm 0x{algorithm:04x} is not taken here")
    return Symmetric(algorithm, cursor.big(2, "its key size"), cursor.big(2, "its mode"))


def _scheme(cursor: Cursor) -> Scheme:
    algorithm = cursor.big(2, "the scheme")
    if algorithm == NULL:
        return Scheme(NULL)
    if algorithm not in {RSASSA, RSAPSS, ECDSA}:
        raise MalformedInput(f"{cursor.what}: the scheme 0x{algorithm:04x} is not taken here")
    return Scheme(algorithm, cursor.big(2, "the scheme's hash"))


def _rsa_key(cursor: Cursor, what: str) -> rsa.RSAPublicKey:
    bits = cursor.big(2, "the key size")
    exponent = cursor.big(4, "the exponent") or _USUAL_EXPONENT
    modulus = cursor.sized(_MAX_NUMBER, "the modulus")
    number = int.from_bytes(modulus)
    if bits < signatures.LEAST_RSA_BITS or len(modulus) * 8 != bits or number.bit_length() != bits:
        raise MalformedInput(f"{what}: the modulus has not {bits} bits, or too few")
    try:
        return rsa.RSAPublicNumbers(exponent, number).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedInput(f"{what}: it is no RSA key") from error


def _ecc_key(cursor: Cursor, what: str) -> tuple[ec.EllipticCurvePublicKey, tuple[bytes, bytes]]:
    curve = CURVES.get(cursor.big(2, "the curve"))
    if curve is None or cursor.big(2, "the key derivation") != NULL:
        raise MalformedInput(f"{what}: the curve or its key derivation is not taken here")
    size = curve.key_size // 8
    x, y = cursor.sized(_MAX_DIGEST, "x"), cursor.sized(_MAX_DIGEST, "y")
    if len(x) > size or len(y) > size:
        raise MalformedInput(f"{what}: a coordinate is longer than the curve")
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
        return numbers.public_key(), (x, y)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedInput(f"{what}: the point is not on its curve") from error


@dataclass(frozen=True, slots=True)
class Quote:
    """A TPMS_ATTEST of type quote, read; nothing is verified."""

    data: bytes
    signer: bytes  # qualified name
    extra: bytes
    clock: int
    resets: int
    restarts: int
    safe: bool
    firmware: int
    bank: int
    selected: frozenset[int]
    digest: bytes


def parse_quote(data: bytes) -> Quote:
    """Parse a TPMS_ATTEST; raise `MalformedInput` for anything but a quote over one bank."""
    if len(data) > MAX_QUOTE:
        raise MalformedInput(f"the quote has {len(data)} bytes; the limit is {MAX_QUOTE}")
    cursor = Cursor(data, "the quote")
    if cursor.big(4, "the magic number") != _MAGIC:
        raise MalformedInput("the quote: a TPM did not make it, because its magic number is missing")
    if cursor.big(2, "the type") != _QUOTE:
        raise MalformedInput("the quote: it attests something else than PCRs")
    signer = cursor.sized(_MAX_NAME, "the signer's name")
    extra = cursor.sized(_MAX_EXTRA, "the qualifying data")
    clock = cursor.big(8, "the clock")
    resets, restarts = cursor.big(4, "the count of resets"), cursor.big(4, "the count of restarts")
    safe = cursor.big(1, "the clock's safety")
    if safe > 1:
        raise MalformedInput("the quote: the clock's safety is neither yes nor no")
    firmware = cursor.big(8, "the firmware's version")
    if cursor.big(4, "the number of selections") != 1:
        raise MalformedInput("the quote: it covers no bank of PCRs or several; select PCRs of one bank")
    bank = cursor.big(2, "the bank")
    selected = _selection(cursor.take(cursor.big(1, "the size of the selection"), "the selection"))
    quoted = cursor.sized(_MAX_DIGEST, "the digest of the PCRs")
    cursor.end()
    return Quote(data, signer, extra, clock, resets, restarts, safe == 1, firmware, bank, selected, quoted)


def _selection(octets: bytes) -> frozenset[int]:
    numbers = frozenset(i for i in range(8 * len(octets)) if octets[i // 8] & (1 << (i % 8)))
    if numbers and max(numbers) >= PCRS:
        raise MalformedInput(f"the quote: it selects PCR {max(numbers)}; a TPM has {PCRS}")
    return numbers


@dataclass(frozen=True, slots=True)
class Signature:
    """A TPMT_SIGNATURE, read."""

    scheme: Scheme
    parts: tuple[bytes, ...]  # one of RSA; r and s of ECDSA


def parse_signature(data: bytes) -> Signature:
    """Parse a TPMT_SIGNATURE; raise `MalformedInput`."""
    cursor = Cursor(data, "the signature")
    scheme = Scheme(cursor.big(2, "the scheme"), cursor.big(2, "the hash"))
    if scheme.algorithm not in {RSASSA, RSAPSS, ECDSA} or scheme.hash not in HASHES:
        raise MalformedInput(f"the signature: 0x{scheme.algorithm:04x} with 0x{scheme.hash:04x} is not taken here")
    count = 2 if scheme.algorithm == ECDSA else 1
    parts = tuple(cursor.sized(_MAX_NUMBER, "a number") for _ in range(count))
    cursor.end()
    return Signature(scheme, parts)


def is_signed(signed: bytes, signature: Signature, key: signatures.PublicKey) -> bool:
    """Return whether the key made this signature over these bytes."""
    algorithm = HASHES[signature.scheme.hash]
    match signature.scheme.algorithm:
        case 0x0018:
            r, s = (int.from_bytes(part) for part in signature.parts)
            return signatures.ecdsa_numbers(key, r, s, signed, algorithm)
        case 0x0014:
            return signatures.rsa_pkcs1(key, signature.parts[0], signed, algorithm)
        case _:
            return signatures.rsa_pss(key, signature.parts[0], signed, algorithm)


def pcr_digest(values: Mapping[int, bytes], selected: frozenset[int], hash_algorithm: int) -> bytes:
    """Return the digest that a quote over these PCRs holds: by the hash of the signing scheme, lowest number first."""
    return digest(hash_algorithm, b"".join(values[number] for number in sorted(selected)))


def qualified(parent: bytes, public: Public) -> bytes:
    """Return the qualified name of an object: its chain of names up to the hierarchy, whose name is its handle."""
    return public.name_algorithm.to_bytes(2) + digest(public.name_algorithm, parent + public.name)


def is_attestation_key(public: Public) -> bool:
    """Return whether this key can only sign what its own TPM made: restricted, not for decryption, never copied."""
    return (
        public.has(FIXED_TPM, FIXED_PARENT, SENSITIVE_ORIGIN, RESTRICTED, SIGN)
        and not public.attributes & (DECRYPT | X509_SIGN)
        and public.scheme.algorithm != NULL
        and public.symmetric.algorithm == NULL
    )


def is_endorsement_key(public: Public) -> bool:
    """Return whether this key can only take secrets in for its TPM: restricted, for decryption, never copied."""
    return (
        public.has(FIXED_TPM, FIXED_PARENT, SENSITIVE_ORIGIN, RESTRICTED, DECRYPT)
        and not public.attributes & SIGN
        and public.symmetric.algorithm == AES
        and public.symmetric.mode == CFB
    )
