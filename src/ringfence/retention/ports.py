"""What retention needs from outside: where data lies, and its own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.retention.model import ClassName, Erased, Fate, Hold, HoldId, Item, Outcome, Run, Tally


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an erasure is asked for: one of these."""

    statement: Digest | None = None  # of an envelope
    subject: str = ""  # the name or the digest of a subject
    names: frozenset[str] = frozenset()  # a person's id and keys

    @property
    def empty(self) -> bool:
        """Return whether nothing is named."""
        return self.statement is None and not self.subject and not self.names


class Source(Protocol):
    """One place where data of some classes lies; what it destroys it destroys in the transaction that is open."""

    @property
    def name(self) -> str:
        """Return its name, which never changes: runs that were cut off refer to it."""
        ...

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how much of each class it has."""
        ...

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return items whose clock started before a time, in an order that stays, without the first `skip`.

        One that is `unreadable` is among them, however old it may be.
        """
        ...

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those of the items that are still here; raise where one is, and cannot be read."""
        ...

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return at most `limit` items that an erasure speaks of."""
        ...

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Destroy items; those that are gone already are no error."""
        ...


class Holds(Protocol):
    """The register of holds."""

    def add(self, hold: Hold) -> None: ...
    def all(self, tenant: Tenant) -> list[Hold]: ...
    def by_id(self, tenant: Tenant, hold: HoldId) -> Hold | None: ...

    def release(self, hold: Hold, by: PersonId, at: datetime) -> bool:
        """End a hold; return whether it was in force."""
        ...


class Runs(Protocol):
    """What is to be destroyed: the to-do list of sweeps and erasures."""

    def add(self, run: Run, items: Sequence[Item]) -> None: ...

    def unfinished(self) -> list[Run]:
        """Return the runs that were cut off, the oldest first."""
        ...

    def waiting(self, run: Run, limit: int) -> list[Item]:
        """Return items that nothing has become of, as they were when the run began."""
        ...

    def pending(self, tenant: Tenant) -> set[tuple[str, str]]:
        """Return source and key of each item that a run which is not over is yet to decide."""
        ...

    def settle(self, run: Run, fates: Sequence[tuple[Item, Fate]], at: datetime) -> None:
        """Write what became of items; of details that were destroyed, since when."""
        ...

    def outcome(self, run: Run) -> Outcome:
        """Return how a run has gone so far."""
        ...

    def finish(self, run: Run, at: datetime) -> None:
        """Write that a run is over, and forget its list."""
        ...

    def erased(self, tenant: Tenant, commitment: Digest) -> Erased | None:
        """Return since when details are gone; None where no run of ours destroyed them."""
        ...

    def last(self, tenant: Tenant) -> datetime | None:
        """Return when the newest sweep of a tenant ended."""
        ...
