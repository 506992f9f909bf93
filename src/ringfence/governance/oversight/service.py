"""Read the oversight log and the table of training: both are folds over the log, and nothing is kept beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ringfence.governance.oversight import fold
from ringfence.governance.oversight.model import Course, Shown, Trained
from ringfence.governance.resolutions.ports import Body
from ringfence.governance.signed import Log
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Oversight:
    """The use cases of overseeing."""

    log: Log
    body: Body
    fresh: Callable[[], timedelta | None]  # how long a training counts

    def shown(self, tenant: Tenant) -> list[Shown]:
        """Return what management was told, the newest first."""
        return fold.shown(self.log.statements(tenant, fold.KINDS))

    def courses(self, tenant: Tenant) -> list[Course]:
        """Return the newest session of every course."""
        return fold.courses(self.log.statements(tenant, (fold.TRAINING,)), self.fresh())

    def members(self, tenant: Tenant) -> list[Trained]:
        """Return who of the body was trained, and until when."""
        return fold.trained(self.body.members(tenant), self.courses(tenant))
