"""A key-encryption key in a key file, plain or under a passphrase; PKCS#11 fits the same port."""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from ringfence.artifacts.model import KEY_SIZE, Custody
from ringfence.kernel.errors import MalformedInput, NotFound, VerificationFailed
from ringfence.storage import keyfile

LOCATION = "kek.json"  # below the home directory
_SECRET = "kek"  # noqa: S105 - the name of the key inside its file
_LABEL = b"ringfence key-encryption key id v1\0"


class FileKeyring:
    """A key-encryption key from a file, held in memory while the object lives."""

    __slots__ = ("_kek", "_key", "custody")

    def __init__(self, key: bytes, custody: Custody) -> None:
        """Hold a key; use `create` or `open`."""
        self._key = bytearray(key)
        self.custody: Custody = custody
        self._kek = HKDF(algorithm=SHA256(), length=16, salt=None, info=_LABEL).derive(key).hex()

    @classmethod
    def create(cls, path: Path, passphrase: bytes | None) -> "FileKeyring":
        """Make a new key and its file (mode 0600); raise `UsageError` where the file exists."""
        key = secrets.token_bytes(KEY_SIZE)
        made = keyfile.create(path, {_SECRET: key}, passphrase)
        return cls(key, Custody(made.custody))

    @classmethod
    def open(cls, path: Path, passphrase: bytes | None = None) -> "FileKeyring":
        """Read a key file.

        Raises:
            NotFound: there is none.
            UsageError: others than its owner may read it.
            Refused: it needs a passphrase, or another one.
        """
        found = keyfile.load(path, passphrase)
        key = found.secret(_SECRET)
        if len(key) != KEY_SIZE:
            raise MalformedInput(f"a key-encryption key has {KEY_SIZE} bytes", source=str(path))
        return cls(key, Custody(found.custody))

    @property
    def kek(self) -> str:
        """Return the id, which is derived from the key and says nothing about it."""
        return self._kek

    def wrap(self, dataset_key: bytes | bytearray) -> bytes:
        """Wrap a dataset key by AES key wrap with padding (RFC 5649)."""
        return aes_key_wrap_with_padding(bytes(self._key), bytes(dataset_key))

    def unwrap(self, wrapped: bytes) -> bytearray:
        """Return the dataset key."""
        try:
            return bytearray(aes_key_unwrap_with_padding(bytes(self._key), wrapped))
        except InvalidUnwrap as error:
            raise VerificationFailed("the wrapped key was changed, or another key wrapped it") from error

    def close(self) -> None:
        """Overwrite the key."""
        self._key[:] = bytes(len(self._key))


def at_home(home: Path, passphrase: bytes | None) -> FileKeyring:
    """Open the keyring of a home directory."""
    try:
        return FileKeyring.open(home / LOCATION, passphrase)
    except NotFound as error:
        raise NotFound(
            f"{home / LOCATION} is missing: nothing was sealed from this home, or its key is lost"
        ) from error


def ready_at_home(home: Path, passphrase: bytes | None) -> FileKeyring:
    """Open the keyring of a home directory; the first seal makes it."""
    path = home / LOCATION
    return at_home(home, passphrase) if path.exists() else FileKeyring.create(path, passphrase)
