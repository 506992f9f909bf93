"""Open the private keys of the services, and ready them for signing; nothing else holds them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable
from ringfence.kernel.identifier import LogOrigin
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing.model import Mark, PublicKeys
from ringfence.storage import keyfile
from ringfence.storage.replacement import NEXT
from ringfence.storage.tokensigner import TokenKey, signer_in

SEED_SIZE = 32
SERVICE_FILE = "service.json"
LEDGER, LEDGER_SECOND = "ledger", "ledger-ml-dsa-44"
Decided = Callable[[tuple[str, str]], bool]


class Private(Protocol):
    """A private key, in memory or in a token."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the Ed25519 signature over bytes."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class ServiceKeys:
    """The private keys of control plane, emergency journal and ledger."""

    public: PublicKeys
    control_plane: Private
    emergency: Private
    ledger: Ed25519PrivateKey
    ledger_second: MLDSA44PrivateKey

    def statement(self, role: KeyRole, payload: bytes) -> bytes:
        """Sign the payload of a statement."""
        return _signed(self.emergency if role is KeyRole.EMERGENCY else self.control_plane, pae(payload))

    def snapshot(self, signed: bytes) -> bytes:
        """Sign a snapshot for the gateway, as DSSE encodes it."""
        return _signed(self.control_plane, signed)

    def in_tokens(self) -> list[TokenKey]:
        """Return the keys that lie in a token."""
        return [key for key in (self.control_plane, self.emergency) if isinstance(key, TokenKey)]

    def ready(self) -> "ServiceKeys":
        """Return the same with PINs in memory, for a process that gives up the right to read them."""
        control, emergency = (
            key.ready() if isinstance(key, TokenKey) else key for key in (self.control_plane, self.emergency)
        )
        return replace(self, control_plane=control, emergency=emergency)

    def check(self) -> None:
        """Raise where a token does not sign with the key that was enrolled."""
        for key in self.in_tokens():
            key.check()

    def head(self, head: Checkpoint, mark: Mark) -> SignedCheckpoint:
        """Sign a head with both keys of the log."""
        return checkpoint.sign(head, self.ledger, self.ledger_second, mark.at)


def _signed(key: Private, data: bytes) -> bytes:
    try:
        return key.sign(data)
    except RingfenceError as error:  # a token that is gone, or a PIN; containment goes on and is signed later
        raise Unavailable(f"nothing can be signed now: {error}") from error


def undecided(pair: tuple[str, str]) -> bool:  # noqa: ARG001 -- one of the two answers that `from_file` asks for
    """Leave the log's keys as they are."""
    return False


def from_file(path: Path, passphrase: bytes | None, log: LogOrigin, decided: Decided = undecided) -> ServiceKeys:
    """Open the key file of the services.

    A pair of log keys that is to follow lies beside the one in use until a rotation is finished; it is taken where
    `decided` says that the root's statement about it is in the log's own database.

    Raises:
        Refused: the passphrase is missing or wrong.
        MalformedInput: it holds no such keys.
    """
    held = keyfile.load(path, passphrase)
    control, emergency = signer_in(held, "control-plane"), signer_in(held, "emergency")
    follows = LEDGER + NEXT in held.secrets and decided(pair_in(held, log, NEXT))
    ledger, second = _ledger(held, NEXT if follows else "")
    vkeys = checkpoint.vkeys(log, _raw(ledger), second.public_key().public_bytes_raw())
    public = PublicKeys(log, control.public_key, emergency.public_key, vkeys, held.custody)
    return ServiceKeys(public, control.private, emergency.private, ledger, second)


def pair_in(held: keyfile.KeyFile, log: LogOrigin, ending: str = "") -> tuple[str, str]:
    """Return the verifier keys of the log keys in a key file: of those in use, or of those that are to follow."""
    ledger, second = _ledger(held, ending)
    return checkpoint.vkeys(log, _raw(ledger), second.public_key().public_bytes_raw())


def _ledger(held: keyfile.KeyFile, ending: str) -> tuple[Ed25519PrivateKey, MLDSA44PrivateKey]:
    return _ed25519(held, LEDGER + ending), MLDSA44PrivateKey.from_seed_bytes(_seed(held, LEDGER_SECOND + ending))


def _ed25519(held: keyfile.KeyFile, name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_seed(held, name))


def _seed(held: keyfile.KeyFile, name: str) -> bytes:
    seed = held.secret(name)
    if len(seed) != SEED_SIZE:
        raise MalformedInput(f"a signing key in a key file has {SEED_SIZE} bytes, not {len(seed)}")
    return seed


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
