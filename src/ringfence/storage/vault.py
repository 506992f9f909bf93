"""A secret of this home that lies outside its database: seals small values, and makes keyed digests.

Whoever reads the database alone, a backup of it for instance, opens nothing that was sealed and finds no address by
trying them all.
"""

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringfence.kernel.errors import RingfenceError, VerificationFailed
from ringfence.storage import keyfile

NAME = "sign-in"
_NONCE = 12


@dataclass(slots=True)
class Vault:
    """The secret in a key file, which is made when it is first needed."""

    path: Path
    passphrase: bytes | None
    _secret: bytes = b""
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def seal(self, context: str, secret: bytes) -> bytes:
        """Seal a value; it opens in the same context only."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._key("seal")).encrypt(nonce, secret, context.encode())

    def unseal(self, context: str, sealed: bytes) -> bytes:
        """Open what `seal` made; raise `VerificationFailed` where it was changed or is another context's."""
        try:
            return AESGCM(self._key("seal")).decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise VerificationFailed("what was sealed under the sign-in key of this home was changed") from error

    def mark(self, text: str) -> bytes:
        """Return a keyed digest."""
        return hmac.digest(self._key("mark"), text.encode(), hashlib.sha256)

    def _key(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, f"urn:ringfence:vault:v1\n{purpose}".encode()).derive(self._opened())

    def _opened(self) -> bytes:
        with self._opening:
            if not self._secret:
                self._secret = self._file().secret(NAME)
            return self._secret

    def _file(self) -> keyfile.KeyFile:
        if not self.path.exists():
            try:
                return keyfile.create(self.path, {NAME: secrets.token_bytes(32)}, self.passphrase)
            except RingfenceError:
                if not self.path.exists():  # else another process was faster: its file counts
                    raise
        return keyfile.load(self.path, self.passphrase)
