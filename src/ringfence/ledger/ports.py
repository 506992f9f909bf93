"""What the ledger needs from the outside: a place for tiles, and one for checkpoints."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import Anchors, Checkpoint, SignedCheckpoint


class Tiles(Protocol):
    """Keep the resources of a C2SP tlog-tiles log, each under its path.

    Everything below `tile/` is immutable: the content under such a path follows from the path and the log alone.
    `checkpoint` is replaced. A path that `ringfence.ledger.tiling` does not know is never found and never written.
    """

    def read(self, path: str) -> bytes | None:
        """Return the content under `path`, or None where there is none."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Make one resource durable; see `write_all`."""
        ...

    def write_all(self, resources: Mapping[str, bytes]) -> None:
        """Make resources durable before returning; each appears whole or not at all.

        Writing the same tile again is allowed, so that a write that was interrupted can be repeated.

        Raises:
            Conflict: a tile is there already with other content; nothing of the batch is written then.
        """
        ...

    def discard(self, paths: Sequence[str]) -> None:
        """Forget all partial tiles of the full tiles `paths`; need not be durable."""
        ...


class CheckpointSigner(Protocol):
    """The log's two keys, in whatever process they are."""

    def __call__(self, head: Checkpoint, at: datetime, proof: Sequence[bytes] = (), /) -> SignedCheckpoint:
        """Sign a head; `proof` shows that it continues the one that was signed last.

        Raises:
            Refused: it does not, or it is smaller, or another one of that size was signed.
            Unavailable: nothing can be signed now.
        """
        ...


class Checkpoints(Protocol):
    """Every checkpoint that this log ever signed; never two of one size."""

    def decide(self, head: Checkpoint) -> None:
        """Keep a head that is to be signed, in the transaction that assigned the indexes that it covers."""
        ...

    def decided(self) -> Checkpoint | None:
        """Return the head that was decided and not signed yet, if there is one."""
        ...

    def add(self, signed: SignedCheckpoint) -> None:
        """Keep a signed checkpoint, in the place of the head that was decided."""
        ...

    def latest(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint."""
        ...

    def first(self) -> SignedCheckpoint | None:
        """Return the oldest checkpoint: the head that `init` gives out."""
        ...

    def at_size(self, size: int) -> SignedCheckpoint | None:
        """Return the checkpoint of exactly this size."""
        ...

    def below(self, size: int | None, limit: int) -> list[SignedCheckpoint]:
        """Return the newest checkpoints below a size, largest first."""
        ...

    def all(self, *, above: int = -1, limit: int | None = None) -> list[SignedCheckpoint]:
        """Return the checkpoints beyond a size, smallest first, at most `limit`."""
        ...


class Successions(Protocol):
    """What the root stated of the log's own keys, in its order, with an index or without."""

    def stated(self, tenant: Tenant | None = None) -> Sequence[Envelope]:
        """Return the successions of the log's keys, as they were stated to a tenant, or to that of the log."""
        ...

    def enrolled(self) -> Sequence[Envelope]:
        """Return the enrolments of keys in the tenant of the log."""
        ...


class KeptAnchors(Protocol):
    """What others said about this log's heads, verified when it was kept."""

    def anchors(self, size: int) -> Anchors:
        """Return what they said about the head of this size."""
        ...

    def newest(self) -> Sequence[int]:
        """Return the size of the newest head of each who said anything, smallest first."""
        ...
