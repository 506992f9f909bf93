"""A key-encryption key in a key file, plain or under a passphrase, or in a PKCS#11 token."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from ringfence.artifacts.model import KEY_SIZE, Custody
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, VerificationFailed
from ringfence.storage import keyfile
from ringfence.storage.tokens import Token, TokenPlace, read_place
from ringfence.storage.turns import replacing, using

LOCATION = "kek.json"  # below the home directory
NEXT, OLD = "kek.next.json", "kek.old.json"  # while the key is replaced: the one to come, the one that goes
_SECRET = "kek"  # noqa: S105 - the name of the key inside its file
_KEK = re.compile(r"[0-9a-f]{32}")
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

    def hand_over(self, token: Token) -> None:
        """Put the key into a token."""
        token.take_in(bytes(self._key))

    def close(self) -> None:
        """Overwrite the key."""
        self._key[:] = bytes(len(self._key))


class TokenKeyring:
    """A key-encryption key in a token: it wraps and unwraps there and does not come out."""

    __slots__ = ("_token", "custody", "kek")

    def __init__(self, place: TokenPlace, kek: str) -> None:
        """Use the key at a place; nothing is opened before it is needed."""
        self._token = Token(place)
        self.kek = kek
        self.custody: Custody = Custody.PKCS11

    @classmethod
    def make(cls, path: Path, beside: Path) -> "TokenKeyring":
        """Make a new key in the token in which the key of `beside` lies; called again, finish what was begun.

        Its id is drawn at random: no digest of a key can be made that does not come out.
        """
        if not path.exists():
            kek = secrets.token_hex(16)
            replace(read_place(beside)[0], key=_label(kek)).write(path, kek, replace=False)
        place, kek = read_place(path)
        Token(place).make()
        return cls(place, kek)

    @classmethod
    def open(cls, path: Path) -> "TokenKeyring":
        """Read in which token the key lies."""
        place, kek = read_place(path)
        if not _KEK.fullmatch(kek):
            raise MalformedInput("the id of a key-encryption key has 32 hexadecimal digits", source=str(path))
        return cls(place, kek)

    def wrap(self, dataset_key: bytes | bytearray) -> bytes:
        """Wrap a dataset key by AES key wrap with padding (RFC 5649)."""
        return self._token.wrap(bytes(dataset_key))

    def unwrap(self, wrapped: bytes) -> bytearray:
        """Return the dataset key."""
        return self._token.unwrap(wrapped)

    def close(self) -> None:
        """Do nothing: no session with the token is open, and no key is here."""


def move_to_token(path: Path, passphrase: bytes | None, module: Path, label: str, pin_file: Path) -> str:
    """Put the key of a key file into a token, and let the file only say where it is; return the id of the key.

    What was wrapped stays readable. The file is replaced once the token has opened what the file wrapped.

    Raises:
        Refused: the key lies in a token already.
        VerificationFailed: the token does not wrap as the file does; everything is left as it was.
    """
    if keyfile.custody(path) == keyfile.TOKEN:
        raise Refused(f"the key that {path} stood for lies in a token already")
    source = FileKeyring.open(path, passphrase)
    place = TokenPlace(module.absolute(), label, pin_file.absolute(), _label(source.kek))
    token = Token(place)
    try:
        source.hand_over(token)
        try:
            _check_same(source, token)
            place.write(path, source.kek)
        except BaseException:
            _take_back(path, token)
            raise
        return source.kek
    finally:
        source.close()


def _take_back(path: Path, token: Token) -> None:
    """Take a key out of the token again, unless the file names the token already: then it is the only one left."""
    if keyfile.custody(path) != keyfile.TOKEN:
        token.forget()


def _check_same(source: FileKeyring, token: Token) -> None:
    tried = secrets.token_bytes(KEY_SIZE)
    if token.unwrap(source.wrap(tried)) != tried or source.unwrap(token.wrap(tried)) != tried:
        raise VerificationFailed("the token wraps keys in another way than the file does; nothing was moved")


def at(path: Path, passphrase: bytes | None) -> FileKeyring | TokenKeyring:
    """Open the keyring whose key lies in a file, or where a file says."""
    return TokenKeyring.open(path) if keyfile.custody(path) == keyfile.TOKEN else FileKeyring.open(path, passphrase)


def at_home(home: Path, passphrase: bytes | None) -> FileKeyring | TokenKeyring:
    """Open the keyring of a home directory."""
    try:
        return at(home / LOCATION, passphrase)
    except NotFound as error:
        raise NotFound(
            f"{home / LOCATION} is missing: nothing was sealed from this home, or its key is lost"
        ) from error


@contextmanager
def for_sealing(home: Path, passphrase: bytes | None) -> Iterator[FileKeyring | TokenKeyring]:
    """Open the keyring of a home directory, made by the first seal; until the block ends, nobody replaces the key.

    A dataset that got its key wrapped by a key that is destroyed meanwhile would be lost.
    """
    path = home / LOCATION
    with using(home / "datasets", "the key that wraps dataset keys is being replaced; try again when that has ended"):
        yield at_home(home, passphrase) if path.exists() else FileKeyring.create(path, passphrase)


@contextmanager
def changing(home: Path) -> Iterator[None]:
    """Change the key of a home directory, or where it lies, while nobody seals and nobody else changes it."""
    with replacing(home / "datasets", "a dataset is being sealed, or its key is being replaced; try again after that"):
        yield


def check_settled(home: Path) -> None:
    """Raise `Refused` where the key is being replaced, and that was broken off."""
    if (home / NEXT).exists() or (home / OLD).exists():
        raise Refused("the KEK is half replaced: finish that with `ringfence key rotate kek`")


def _label(kek: str) -> str:
    return f"ringfence-kek-{kek}"
