"""The own organisation and the practice beside it, as pages show the two side by side. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import LogOrigin, Tenant


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside each other."""

    tenant: Tenant
    log: LogOrigin
    made: bool  # whether there is a practice
    runs: bool
    because: str  # why none can be started now; empty where one can
    may: bool  # whether who looks may start it


BesideOf = Callable[[Person], Beside | None]  # None: this installation is a practice itself
