"""The P-256 key with which an operator signs models: a key file beside the operator's own, or a PEM file."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts.models import keys
from ringfence.artifacts.models.keys import PublicKey, SigningKey
from ringfence.storage import keyfile
from ringfence.storage.files import read_bounded, read_private

SECRET = "model-p256"  # noqa: S105 - what a key file calls it
ENDING = ".model.key"  # matched by `operators/*.key`, so that `key list` and `key protect` know of it


@dataclass(frozen=True, slots=True)
class Held:
    """A signing key, and how it is kept."""

    key: SigningKey
    custody: str


def of_operator(operator: Path, passphrase: bytes | None) -> Held:
    """Return the model key beside an operator's key file; the first use makes it."""
    path = operator.with_suffix(ENDING)
    if not path.exists():
        scalar = keys.new_scalar(secrets.token_bytes(48))
        held = keyfile.create(path, {SECRET: scalar}, passphrase)
    else:
        held = keyfile.load(path, passphrase)
    return Held(keys.from_scalar(held.secret(SECRET)), held.custody)


def of_pem(path: Path, passphrase: bytes | None) -> Held:
    """Return the key in a PEM file that nobody else may read; an encrypted one opens with the passphrase."""
    data = read_private(path)
    try:
        key, custody = keys.parse_signing(data, source=str(path)), keyfile.PLAIN
    except keys.Protected:
        key, custody = keys.parse_signing(data, passphrase, source=str(path)), keyfile.PASSPHRASE
    return Held(key, custody)


def public_of(path: Path) -> PublicKey:
    """Return the public key in a PEM file."""
    return keys.parse_public(read_bounded(path, limit=keys.MAX_PEM), source=str(path))
