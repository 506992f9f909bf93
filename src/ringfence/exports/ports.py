"""What exports need beside the statements of `ringfence.obligations.ports`: computed status and register of risks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from ringfence.governance.risks.model import Risk
from ringfence.kernel.identifier import Tenant


class Register(Protocol):
    """Return a tenant's risks; `ringfence.governance.risks.service.Risks` does."""

    def all(self, tenant: Tenant, at: datetime | None = None) -> Iterable[Risk]:
        """Return every risk now, or as the log knew it at `at`, in an order that the risks alone decide."""
        ...
