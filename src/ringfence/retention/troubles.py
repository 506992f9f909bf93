"""What a sweep could not read or destroy, until a later one can: each becomes a finding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a sweep came across."""

    tenant: Tenant | None  # None: it concerns all of them
    key: str  # what it is about; the same while it lasts
    because: str
    since: datetime


@dataclass(slots=True)
class Troubles:
    """The troubles of the last turn, and since when each lasts."""

    _found: Mapping[tuple[Tenant | None, str], Trouble] = field(default_factory=dict)

    def met(self, tenant: Tenant | None, because: Mapping[str, str], at: datetime) -> None:
        """Note what a turn came across in a tenant, by what it is about; what it did not come across is over."""
        known = self._found
        others = {key: trouble for key, trouble in known.items() if key[0] != tenant}
        now = {key: Trouble(tenant, key, why, _since(known.get((tenant, key)), at)) for key, why in because.items()}
        self._found = others | {(tenant, key): trouble for key, trouble in now.items()}

    def all(self) -> tuple[Trouble, ...]:
        """Return what lasts."""
        return tuple(self._found.values())


def _since(known: Trouble | None, at: datetime) -> datetime:
    return at if known is None else known.since
