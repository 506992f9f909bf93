"""What the signer is about: who signs what, the public halves, and the head that it signed last."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.identifier import LogOrigin
from ringfence.kernel.statement import KeyRole

STATING = (KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY)  # the roles that sign statements


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public halves of what the signer holds, and how it holds them."""

    log: LogOrigin
    control_plane: bytes
    emergency: bytes
    ledger: tuple[str, str]  # vkeys, Ed25519 first
    custody: str

    def of(self, role: KeyRole) -> bytes:
        """Return the raw public key of a role that states."""
        return {KeyRole.CONTROL_PLANE: self.control_plane, KeyRole.EMERGENCY: self.emergency}[role]


@dataclass(frozen=True, slots=True)
class Mark:
    """The head that was signed last."""

    size: int
    root: bytes
    at: datetime  # to the second
