"""Everything that red-team runs need from the outside world."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PredicateName, Tenant


class Logged(Protocol):
    """A statement in the log, as far as it is read here."""

    @property
    def entry(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def envelope(self) -> Envelope: ...
    @property
    def opening(self) -> Opening | None: ...


class Log(Protocol):
    """What is read of the ledger."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[Logged]:
        """Return a tenant's statements in log order."""
        ...
