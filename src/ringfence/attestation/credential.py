"""Make a credential: a secret that only the TPM with one endorsement key gives back, and only beside one other key.

Source: TCG, Trusted Platform Module Library, part 1, section 24 (credential protection), 11.4.10 (KDFa, KDFe), B.10.3
and C.6.3 (seeds), and part 3, TPM2_MakeCredential. The node answers with TPM2_ActivateCredential.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.modes import CFB  # not in use elsewhere; TPMs know nothing else here
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from ringfence.attestation.tpm_structures import HASHES, Public, is_endorsement_key
from ringfence.kernel.errors import MalformedInput

MAX_SECRET = 32  # no longer than the digest of the endorsement key's name
_LABEL = b"IDENTITY"
_AES_BITS = frozenset({128, 256})
_IV = bytes(16)

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Credential:
    """What is sent to the node; each is in the form that TPM2_ActivateCredential takes."""

    blob: bytes  # TPM2B_ID_OBJECT
    secret: bytes  # TPM2B_ENCRYPTED_SECRET


def make(endorsement: Public, name: bytes, secret: bytes, random: Random) -> Credential:
    """Encrypt `secret` so that it comes back only from the TPM of `endorsement`, and only while it holds `name`.

    Args:
        endorsement: the public area of the endorsement key; whether a maker vouches for it is not looked at here.
        name: the Name of the key that has to be beside it, such as an attestation key's.
        secret: 1 to 32 bytes.
        random: returns that many random bytes; ephemeral keys and seeds come from it.

    Raises:
        MalformedInput: the key is no endorsement key, or the secret has another size.
    """
    if not 0 < len(secret) <= MAX_SECRET:
        raise MalformedInput(f"the secret of a credential has 1 to {MAX_SECRET} bytes, not {len(secret)}")
    if not is_endorsement_key(endorsement) or endorsement.symmetric.bits not in _AES_BITS:
        raise MalformedInput("the key is no endorsement key: restricted, for decryption only, with AES in CFB mode")
    seed, encrypted = _seed(endorsement, random)
    algorithm = endorsement.name_algorithm
    key = kdfa(algorithm, seed, b"STORAGE", name, b"", endorsement.symmetric.bits)
    encryptor = Cipher(algorithms.AES(key), CFB(_IV)).encryptor()
    identity = encryptor.update(sized(secret)) + encryptor.finalize()
    integrity_key = kdfa(algorithm, seed, b"INTEGRITY", b"", b"", 8 * HASHES[algorithm].digest_size)
    integrity = hmac.digest(integrity_key, identity + name, HASHES[algorithm].name)
    return Credential(sized(sized(integrity) + identity), sized(encrypted))


def sized(data: bytes) -> bytes:
    """Return a TPM2B."""
    return len(data).to_bytes(2) + data


def _seed(endorsement: Public, random: Random) -> tuple[bytes, bytes]:
    """Return a seed, and the same encrypted to the endorsement key."""
    hashed = HASHES[endorsement.name_algorithm]
    if isinstance(endorsement.key, rsa.RSAPublicKey):
        seed = random(hashed.digest_size)
        scheme = padding.OAEP(padding.MGF1(hashed), hashed, _LABEL + b"\0")
        return seed, endorsement.key.encrypt(seed, scheme)
    return _agreed(endorsement.key, endorsement.name_algorithm, random)


def _agreed(key: ec.EllipticCurvePublicKey, algorithm: int, random: Random) -> tuple[bytes, bytes]:
    size = key.curve.key_size // 8
    # Eight bytes more than the order has: the remainder's bias is below 2^-64.
    scalar = int.from_bytes(random(size + 8)) % (key.curve.group_order - 1) + 1
    ephemeral = ec.derive_private_key(scalar, key.curve)
    shared = ephemeral.exchange(ec.ECDH(), key)
    mine, theirs = ephemeral.public_key().public_numbers(), key.public_numbers()
    x, y = mine.x.to_bytes(size), mine.y.to_bytes(size)
    bits = 8 * HASHES[algorithm].digest_size
    return kdfe(algorithm, shared, _LABEL, x, theirs.x.to_bytes(size), bits), sized(x) + sized(y)


def kdfa(algorithm: int, key: bytes, label: bytes, first: bytes, second: bytes, bits: int) -> bytes:
    """Derive `bits` bits from a key (SP 800-108 in counter mode with HMAC)."""
    made = b""
    while len(made) * 8 < bits:
        counter = (len(made) // HASHES[algorithm].digest_size + 1).to_bytes(4)
        made += hmac.digest(key, counter + label + b"\0" + first + second + bits.to_bytes(4), HASHES[algorithm].name)
    return made[: bits // 8]


def kdfe(algorithm: int, shared: bytes, label: bytes, first: bytes, second: bytes, bits: int) -> bytes:
    """Derive `bits` bits, no more than one digest, from the shared coordinate of a key agreement (SP 800-56A)."""
    hashed = hashlib.new(HASHES[algorithm].name, (1).to_bytes(4) + shared + label + b"\0" + first + second)
    return hashed.digest()[: bits // 8]
