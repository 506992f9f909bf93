"""What a page needs of the log to change by itself, and to name the proof of what it shows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound

STREAM = "/console/stream"
HEARTBEAT = ": still here"  # a comment of the stream, which comes when everything has been told that there is


class Checkpoint(Protocol):
    """The head of the log, as far as pages read it."""

    @property
    def size(self) -> int: ...


class Head(Protocol):
    """A signed head."""

    @property
    def checkpoint(self) -> Checkpoint: ...


class Heads(Protocol):
    """Where the newest head is found."""

    def head(self) -> Head:
        """Return it; raise `NotFound` while the log is empty."""
        ...


def published(log: Heads) -> int:
    """Return how many entries the published log has."""
    try:
        return log.head().checkpoint.size
    except NotFound:
        return 0


@dataclass(frozen=True, slots=True)
class Live:
    """Where a page is told of whatever is stated after it was made."""

    log: Heads

    def __call__(self) -> str:
        """Return the address of the stream."""
        return f"{STREAM}?after={published(self.log) - 1}"


def proof(entry: int, digest: Digest, strength: str = "") -> dict[str, Any]:
    """Return what the proof chip shows of a statement; `strength` is left out where the page does not know it."""
    return {
        "entry": entry,
        "address": f"/evidence/{entry}/proof.json",
        "digest": digest.hex,
        "strength": strength,
        "auto": False,
    }


@dataclass(frozen=True, slots=True)
class Proofs:
    """The proofs of the statements that one page names by their digests; each is looked up once."""

    entry_of: Callable[[Digest], int | None]
    _known: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def __call__(self, envelope: str) -> dict[str, Any] | None:
        """Return the proof; None where no statement of the log has this digest."""
        if envelope not in self._known:
            self._known[envelope] = self._found(envelope)
        return self._known[envelope]

    def _found(self, envelope: str) -> dict[str, Any] | None:
        try:
            digest = Digest.parse(envelope)
        except MalformedInput:
            return None
        entry = self.entry_of(digest)
        return None if entry is None else proof(entry, digest)
