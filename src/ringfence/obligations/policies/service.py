"""Use case: which policies are in force, and which of their sentences are no longer true. It records nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.obligations import sheet
from ringfence.obligations.model import Catalog
from ringfence.obligations.policies import adopted
from ringfence.obligations.policies.model import READ, Carried, Shown
from ringfence.obligations.ports import Statements
from ringfence.obligations.records import Records
from ringfence.obligations.service import Status


@dataclass(frozen=True, slots=True)
class Policies:
    """Read what people signed, beside the status of now; a policy is adopted by its form, like any other."""

    catalog: Catalog
    status: Status
    evidence: Statements
    is_demo: Callable[[Tenant], bool]
    clock: Clock

    def all(self, tenant: Tenant) -> tuple[Shown, ...]:
        """Return every type of policy with the version in force."""
        document = sheet.document(self.status.board(tenant))
        return adopted.policies(self._records(tenant), document, self.catalog, self.today())

    def carried(self, tenant: Tenant) -> tuple[Carried, ...]:
        """Return every document that the management body approved, with its salt."""
        return adopted.carried(self._records(tenant), self.catalog)

    def today(self) -> date:
        """Return the day, by our clock and in UTC."""
        return self.clock.now().date()

    def _records(self, tenant: Tenant) -> Records:
        return Records.of(tenant, self.evidence.statements(tenant, READ), demo=self.is_demo(tenant))
