"""What obligations need from outside: the statements that the log has taken in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement


class Evidence(Protocol):
    """Read integrated statements; the ledger's service fulfils it."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order, recorded by `at`, with the standing of their keys known then."""
        ...

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> list[LoggedStatement]:
        """Return a tenant's statements, newest first, from below the entry `before`."""
        ...
