"""What the ledger needs from the outside: a place for tiles, and one for checkpoints."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ringfence.ledger.model import SignedCheckpoint


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


class Checkpoints(Protocol):
    """Every checkpoint that this log ever signed; never two of one size."""

    def add(self, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint, in the transaction that assigned the indexes that it covers."""
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

    def all(self) -> list[SignedCheckpoint]:
        """Return every checkpoint, smallest first."""
        ...
