"""Sign statements with an Ed25519 key that lies in a key file."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import Statement, to_payload

SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """A `StatementSigner` over a private key in memory."""

    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "Ed25519Signer":
        """Load the 32 bytes that a key file holds; raise `MalformedInput` for any other number."""
        if len(seed) != SEED_SIZE:
            raise MalformedInput(f"a signing key in a key file has {SEED_SIZE} bytes, not {len(seed)}")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def public_key(self) -> bytes:
        """Return the raw public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def key(self) -> KeyId:
        """Return the id of the key."""
        return key_id_of(self.public_key)

    def sign(self, statement: Statement) -> Envelope:
        """Sign a statement that names this key as its issuer."""
        if statement.issuance.issuer != self.key:
            raise InternalError("a statement was given to a key that it does not name as its issuer")
        return sign(to_payload(statement), self.private)
