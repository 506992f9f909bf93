"""Key files: named secrets under one passphrase, or in the plain; which of the two is evidence.

Format: docs/specs/keyfile.md. With a passphrase, each secret is sealed with AES-256-GCM under a key that scrypt
derives; the secret's name is authenticated with it.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, Refused, Unavailable
from ringfence.storage.files import PRIVATE, read_private, write_whole

FORMAT = "urn:ringfence:keyfile:v1"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1  # 32 MiB and some 80 ms: once per process
PLAIN, PASSPHRASE = "file-plain", "file-passphrase"
TOKEN = "pkcs11"  # noqa: S105 - a custody: the file only says in which token the key lies (storage/tokens.py)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The secrets of one key file, opened."""

    custody: str
    secrets: dict[str, bytes]

    def __repr__(self) -> str:
        return f"KeyFile(custody={self.custody!r}, secrets={sorted(self.secrets)})"

    def secret(self, name: str) -> bytes:
        """Return one secret."""
        if name not in self.secrets:
            raise Unavailable(f"the key file holds no key named {name}")
        return self.secrets[name]


def create(path: Path, named: dict[str, bytes], passphrase: bytes | None) -> KeyFile:
    """Write a new key file, readable by its owner only; an existing one is never overwritten."""
    document = _document(named, passphrase)
    write_whole(path, digest.dumps(document) + b"\n", mode=PRIVATE, replace=False)
    return KeyFile(document["custody"], dict(named))


def rewrite(path: Path, named: dict[str, bytes], passphrase: bytes | None) -> KeyFile:
    """Put other secrets into a key file, whole or not at all; what protects it stays."""
    load(path, passphrase)  # a wrong passphrase would lock its owner out
    document = _document(named, passphrase if custody(path) == PASSPHRASE else None)
    write_whole(path, digest.dumps(document) + b"\n", mode=PRIVATE)
    return KeyFile(document["custody"], dict(named))


def protect(path: Path, passphrase: bytes) -> bool:
    """Put a plain key file under a passphrase; return False where it is under one already.

    The file is replaced as a whole. What lay in the plain may be in backups and in unused blocks of the disk still:
    whoever fears that makes new keys.
    """
    if custody(path) == TOKEN:
        return False
    if custody(path) == PASSPHRASE:
        load(path, passphrase)  # another passphrase than the others' would lock its owner out later
        return False
    document = _document(load(path, None).secrets, passphrase)
    write_whole(path, digest.dumps(document) + b"\n", mode=PRIVATE)
    return True


def _document(named: dict[str, bytes], passphrase: bytes | None) -> dict[str, Any]:
    document: dict[str, Any] = {"format": FORMAT, "custody": PASSPHRASE if passphrase else PLAIN}
    if not passphrase:
        return document | {"keys": {name: _text(value) for name, value in named.items()}}
    salt = secrets.token_bytes(16)
    key = _derive(passphrase, salt)
    document["scrypt"] = {"n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "salt": _text(salt)}
    document["keys"] = {name: _text(_seal(key, name, value)) for name, value in named.items()}
    return document


def load(path: Path, passphrase: bytes | None) -> KeyFile:
    """Open a key file; raise `Refused` where the passphrase is missing or wrong."""
    document = digest.loads(read_private(path), source=str(path))
    match document:
        case {"format": str() as kind, "custody": str() as custody, "keys": dict() as keys, **rest} if kind == FORMAT:
            values = {name: _bytes(value, path) for name, value in keys.items()}
        case _:
            raise MalformedInput("not a key file of Ringfence", source=str(path))
    if custody == PLAIN and not rest:
        return KeyFile(PLAIN, values)
    if custody != PASSPHRASE or rest.keys() != {"scrypt"}:
        raise MalformedInput("the key file names a custody that is not known here", source=str(path))
    if passphrase is None:
        raise Refused(f"{path} is protected by a passphrase; name a file that holds it in RINGFENCE_PASSPHRASE_FILE")
    key = _derive(passphrase, _salt(rest["scrypt"], path))
    return KeyFile(PASSPHRASE, {name: _unseal(key, name, value, path) for name, value in values.items()})


def custody(path: Path) -> str:
    """Return what protects a key file, without opening it."""
    match digest.loads(read_private(path), source=str(path)):
        case {"custody": str() as found} if found in {PLAIN, PASSPHRASE, TOKEN}:
            return found
        case _:
            raise MalformedInput("the key file does not say what protects it", source=str(path))


def names(path: Path) -> frozenset[str]:
    """Return the names of the secrets in a key file, without opening it; the place of a key in a token has none."""
    match digest.loads(read_private(path), source=str(path)):
        case {"keys": dict() as keys}:
            return frozenset(keys)
        case _:
            return frozenset()


def _derive(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase)


def _salt(value: Any, path: Path) -> bytes:
    # The cost is fixed by the format: a file that names another could make us spend memory as it likes.
    if not isinstance(value, dict) or {**value, "salt": ""} != {
        "n": SCRYPT_N,
        "r": SCRYPT_R,
        "p": SCRYPT_P,
        "salt": "",
    }:
        raise MalformedInput("the key file names other scrypt costs than the format allows", source=str(path))
    return _bytes(value["salt"], path)


def _seal(key: bytes, name: str, value: bytes) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, value, _bound(name))


def _unseal(key: bytes, name: str, value: bytes, path: Path) -> bytes:
    try:
        return AESGCM(key).decrypt(value[:12], value[12:], _bound(name))
    except (InvalidTag, ValueError) as error:
        raise Refused(f"the passphrase does not open {path}, or the file was changed") from error


def _bound(name: str) -> bytes:
    return f"{FORMAT}\n{name}".encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: Any, path: Path) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise MalformedInput("a key in the key file is not base64 text", source=str(path)) from error
