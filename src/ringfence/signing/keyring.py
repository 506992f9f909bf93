"""Open the private keys of the services, and ready them for signing; nothing else holds them."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import LogOrigin
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing.model import Mark, PublicKeys
from ringfence.storage import keyfile

SEED_SIZE = 32
SERVICE_FILE = "service.json"


@dataclass(frozen=True, slots=True, repr=False)
class ServiceKeys:
    """The private keys of control plane, emergency journal and ledger."""

    public: PublicKeys
    control_plane: Ed25519PrivateKey
    emergency: Ed25519PrivateKey
    ledger: Ed25519PrivateKey
    ledger_second: MLDSA44PrivateKey

    def statement(self, role: KeyRole, payload: bytes) -> bytes:
        """Sign the payload of a statement."""
        key = self.emergency if role is KeyRole.EMERGENCY else self.control_plane
        return key.sign(pae(payload))

    def head(self, head: Checkpoint, mark: Mark) -> SignedCheckpoint:
        """Sign a head with both keys of the log."""
        return checkpoint.sign(head, self.ledger, self.ledger_second, mark.at)


def from_file(path: Path, passphrase: bytes | None, log: LogOrigin) -> ServiceKeys:
    """Open the key file of the services.

    Raises:
        Refused: the passphrase is missing or wrong.
        MalformedInput: it holds no such keys.
    """
    held = keyfile.load(path, passphrase)
    control, emergency, ledger = (_ed25519(held, name) for name in ("control-plane", "emergency", "ledger"))
    second = MLDSA44PrivateKey.from_seed_bytes(_seed(held, "ledger-ml-dsa-44"))
    vkeys = checkpoint.vkeys(log, _raw(ledger), second.public_key().public_bytes_raw())
    public = PublicKeys(log, _raw(control), _raw(emergency), vkeys, held.custody)
    return ServiceKeys(public, control, emergency, ledger, second)


def _ed25519(held: keyfile.KeyFile, name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_seed(held, name))


def _seed(held: keyfile.KeyFile, name: str) -> bytes:
    seed = held.secret(name)
    if len(seed) != SEED_SIZE:
        raise MalformedInput(f"a signing key in a key file has {SEED_SIZE} bytes, not {len(seed)}")
    return seed


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
