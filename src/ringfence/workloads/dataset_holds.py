"""Legal holds, as the erasure of a sealed dataset has to respect them; and what is stated of datasets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ringfence.artifacts import statements
from ringfence.artifacts.model import Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError, Refused
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.retention import deciding
from ringfence.retention.model import ClassName, Item
from ringfence.retention.store import HoldTable
from ringfence.storage.database import Database
from ringfence.storage.outbox import Outbox

_KIND = ClassName("datasets")  # of no class: no sweep takes a dataset, and holds do not ask for one


@dataclass(frozen=True, slots=True)
class DatasetHolds:
    """`artifacts.ports.Holds` over the register of holds.

    A dataset names nobody: a hold on a person or on an incident covers it, since nobody can say that it does not
    speak of them.
    """

    database: Database
    outbox: Outbox

    def check(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Return where no hold covers a dataset that was sealed at that time."""
        stated = self.outbox.stated(envelope)
        if stated is None:
            raise InternalError(f"nobody can judge the holds of {sealed.name}: the statement that sealed it is damaged")
        since = stated.statement.issuance.issued_at
        item = Item(_KIND, "datasets", f"{sealed.dataset}/{sealed.epoch}", since, statements.SEALED)
        for hold in HoldTable(self.database).all(tenant):
            if deciding.covers(hold, item):
                raise Refused(f"{hold.id} holds epoch {sealed.epoch} of {sealed.name}: release it first")


@dataclass(frozen=True, slots=True)
class Said:
    """`artifacts.ports.Said` over the statements of the log."""

    outbox: Outbox

    def of(self, tenant: Tenant, predicates: Collection[PredicateName]) -> Sequence[Envelope]:
        """Return a tenant's statements of some types, in log order."""
        return [stored.envelope for stored in self.outbox.statements(tenant, predicates)]
