"""What people judge, joined: risks, exceptions, opinions, and what of them stands beside each control."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.governance.beside import Beside, beside, documents
from ringfence.governance.exceptions.service import Exceptions
from ringfence.governance.opinions.service import Opinions
from ringfence.governance.risks.service import Risks
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Judgements:
    """The use cases of risks, exceptions and opinions."""

    risks: Risks
    exceptions: Exceptions
    opinions: Opinions
    clock: Clock

    def beside(self, tenant: Tenant, at: datetime | None = None) -> Mapping[str, tuple[Beside, ...]]:
        """Return what stands beside the computed status of each control, as of a time."""
        return beside(
            self.opinions.all(tenant, at),
            self.exceptions.all(tenant, at),
            self.risks.all(tenant, at),
            at or self.clock.now(),
        )

    def documents(self, tenant: Tenant, at: datetime | None = None) -> Mapping[str, Any]:
        """Return the same for the API."""
        return documents(self.beside(tenant, at))
