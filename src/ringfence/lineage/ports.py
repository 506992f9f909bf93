"""What lineage needs from outside: the statements that the log has taken in."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.lineage.model import Closure

# Verifies the receipt of a tenant's answer and returns what stands behind it; reports lie above, hence a wire.
Behind = Callable[[Tenant, str], dict[str, Any]]


class Statements(Protocol):
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


class Closures(Protocol):
    """Say whether the lineage of a model is closed; `lineage.service.Lineages` fulfils it.

    A gate asks this: `closure(tenant, digest).closed`, and shows `gaps` (each a kind and a sentence) where it is not.
    The digest is that of the signed manifest, or of a single file; one that nobody stated has the gap `no-origin`.
    """

    def closure(self, tenant: Tenant, model: Digest, at: datetime | None = None) -> Closure:
        """Return what a model comes from, and what is missing of it."""
        ...
