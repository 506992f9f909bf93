"""What customers need from outside: the log, the board, names of things, and who makes packs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringfence.customers.model import Thing
from ringfence.customers.share import Share
from ringfence.incidents.model import Clock, Incident
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.obligations.results import Board

Sharing = Callable[[Sequence[LoggedStatement]], Share]
Alongside = Callable[[Acknowledgement], None]


class Log(Protocol):
    """Read what the log has taken in; `ringfence.ledger.service.Ledger` is one."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements in log order."""
        ...

    def named(self, tenant: Tenant, entries: Sequence[int]) -> Sequence[LoggedStatement]:
        """Return the tenant's statements at these entries."""
        ...

    def checkpoint(self, size: int) -> SignedCheckpoint:
        """Return the checkpoint of exactly this size; raise `NotFound`."""
        ...

    def entry_of(self, envelope: Digest) -> int | None:
        """Return the entry of a statement."""
        ...


class Boards(Protocol):
    """Compute a tenant's status; `ringfence.obligations.service.Status` does."""

    def board(self, tenant: Tenant, at: datetime | None = None) -> Board:
        """Return the status now, or at `at`."""
        ...


class Clocks(Protocol):
    """Know which clocks of incidents run; `ringfence.incidents.service.Incidents` does."""

    def running(self, tenant: Tenant) -> Sequence[tuple[Incident, Sequence[Clock]]]:
        """Return every incident for which somebody has to act, with its clocks."""
        ...


class Waiting(Protocol):
    """Know what is recorded and not yet in the log; `ringfence.storage.outbox.Outbox.waiting` does."""

    def __call__(self, tenant: Tenant, predicates: Collection[PredicateName], /) -> Sequence[Digest]:
        """Return a tenant's statements of some types that have no index yet."""
        ...


class Things(Protocol):
    """Know what a tenant has."""

    def __call__(self, tenant: Tenant) -> Sequence[Thing]:
        """Return datasets, deployments, models and nodes, as statements name them and as people do."""
        ...


class Packing(Protocol):
    """Make packs; `ringfence.reports.service.Packs` does."""

    def draft_for(self, tenant: Tenant, sharing: Sharing) -> tuple[Mapping[str, Any], Draft]:
        """Return what a pack of a share would state, and the draft that a person signs."""
        ...

    def issue(
        self,
        envelope: Envelope,
        opening: Opening | None,
        *,
        by: Person,
        sharing: Sharing | None = None,
        alongside: Alongside = ...,
    ) -> bytes:
        """Record the signed report, do `alongside` in the same transaction, and return the pack."""
        ...

    def again(self, tenant: Tenant, entry: int, sharing: Sharing | None = None) -> bytes:
        """Return the pack that an earlier report closes, under the newest head; raise `NotFound`."""
        ...
