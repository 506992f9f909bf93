"""What forms need from outside: what the log holds of a type, newest first, and how much."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.obligations.ports import Evidence


class Log(Evidence, Protocol):
    """Read integrated statements, and count them; the ledger's service fulfils it."""

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> Mapping[PredicateName, int]:
        """Return how many statements of each type a tenant has."""
        ...
