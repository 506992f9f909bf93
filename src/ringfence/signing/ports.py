"""What the rest of Ringfence asks of the signer, whether it is a process of its own or not; and what it needs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing.model import Mark, PublicKeys


class Signer(Protocol):
    """Signs by role; every refusal is one of the error family, with a sentence."""

    def public(self) -> PublicKeys:
        """Return the public halves."""
        ...

    def check(self) -> None:
        """Raise `Unavailable` where nothing can be signed now."""
        ...

    def state(self, role: KeyRole, payload: bytes) -> bytes:
        """Return the signature of a role's key over the payload of a statement.

        Raises:
            Refused: the role does not state this, or not at this time, or it is of another log or issuer.
            Unavailable: nothing can be signed now.
        """
        ...

    def head(self, head: Checkpoint, at: datetime, proof: Sequence[bytes] = ()) -> SignedCheckpoint:
        """Sign a head of the log; `proof` shows that it continues the one that was signed last.

        Raises:
            Refused: it is smaller than that one, of its size with another root, or does not continue it.
            Unavailable: nothing can be signed now.
        """
        ...

    def signed_last(self) -> Checkpoint | None:
        """Return the head that was signed last, as the mark says; None where nothing was signed yet."""
        ...

    def snapshot(self, signed: bytes) -> bytes:
        """Return the control plane's signature over a snapshot for the gateway, given as DSSE encodes it."""
        ...


class Marks(Protocol):
    """The durable memory of the head that was signed last."""

    def held(self) -> AbstractContextManager[Mark | None]:
        """Keep every other signer of this log out, and tell the mark; None where nothing was signed yet."""
        ...

    def put(self, mark: Mark) -> None:
        """Make a mark durable before returning; only while it is `held`."""
        ...
