"""What anchoring needs: the published log, rows, and those who anchor."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Progress, Reply
from ringfence.ledger.model import Anchors, LoggedStatement, SignedCheckpoint


class PublishedLog(Protocol):
    """The log whose heads are anchored."""

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint; raise `NotFound` while the log is empty."""
        ...

    def published_head(self) -> SignedCheckpoint:
        """Return the newest checkpoint that is published; raise `NotFound` while there is none."""
        ...

    def checkpoint(self, size: int) -> SignedCheckpoint:
        """Return the checkpoint of exactly this size; raise `NotFound`."""
        ...

    def heads(self, *, before: int | None = None, limit: int = 50) -> Sequence[SignedCheckpoint]:
        """Return the newest checkpoints, largest first; those below the size `before`."""
        ...

    def ended_at(self) -> datetime | None:
        """Return the newest end of a revoked key of any tenant."""
        ...

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of size `new` continues the one of size `old`."""
        ...

    def published(self, envelope: Digest) -> Acknowledgement:
        """Return once a published checkpoint covers the statement."""
        ...

    def page(self, tenant: Tenant, *, before: int | None = None, limit: int = 50) -> Sequence[LoggedStatement]:
        """Return a tenant's statements below entry `before`, newest first."""
        ...

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements of some types, in log order."""
        ...


class AnchorRows(Protocol):
    """Whom this log asks, and what they said; writes belong into the open transaction."""

    def witnesses(self) -> list[AskedWitness]:
        """Return every witness that was ever asked."""
        ...

    def put_witness(self, witness: AskedWitness) -> None:
        """Add or replace a witness."""
        ...

    def authorities(self) -> list[AskedAuthority]:
        """Return every authority that was ever asked."""
        ...

    def put_authority(self, authority: AskedAuthority) -> None:
        """Add or replace an authority."""
        ...

    def tried(self, asked: AskedWitness | AskedAuthority, progress: Progress) -> None:
        """Keep how a try went."""
        ...

    def quorum(self) -> int:
        """Return how many other parties have to cosign."""
        ...

    def put_quorum(self, quorum: int) -> None:
        """Keep how many other parties have to cosign."""
        ...

    def keep_cosignatures(
        self, size: int, lines: Sequence[str], at: datetime, *, after: datetime | None = None
    ) -> None:
        """Keep verified cosignatures of the head of this size, and of each key's the newest of each hour.

        What was said until `after` stays: the standing of statements rests on it.
        """
        ...

    def before(self, when: datetime) -> Sequence[int]:
        """Return the sizes of the largest heads that somebody may have anchored before a time."""
        ...

    def newest(self) -> Sequence[int]:
        """Return the size of the newest head of each who said anything, smallest first."""
        ...

    def keep_timestamp(self, size: int, authority: bytes, token: bytes) -> None:
        """Keep a verified token over the head of this size."""
        ...

    def anchors(self, size: int) -> Anchors:
        """Return what others said about the head of this size."""
        ...

    def sizes(self, *, least: int = 0, limit: int = 50, newest_first: bool = True) -> list[int]:
        """Return the sizes, at least `least`, of heads that somebody anchored."""
        ...


class Remote(Protocol):
    """The network: one bounded request, nothing followed elsewhere, no proxy asked."""

    def submit(self, url: str, body: bytes) -> Reply:
        """Submit a head to a witness; raise `Unavailable` where none answers."""
        ...

    def stamp(self, url: str, request: bytes) -> bytes:
        """Ask an authority for a time stamp; raise `Unavailable` where none answers."""
        ...


class TrustKeeper(Protocol):
    """The home's own trust file."""

    def keep(self, witnesses: Sequence[AskedWitness], authorities: Sequence[AskedAuthority], quorum: int) -> None:
        """Name them in the trust file."""
        ...
