"""What obligations need from outside: the statements that the log has taken in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.history import History
from ringfence.obligations.model import Catalog
from ringfence.obligations.results import Board


class Statements(Protocol):
    """Read integrated statements; the ledger's service fulfils it."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order, recorded by `at`, with the standing of their keys known then."""
        ...


class Evidence(Statements, Protocol):
    """Read them by pages, too."""

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


class Remark(Protocol):
    """What a person signed beside a control: an opinion, an exception, a risk that it treats. It changes no status."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...


# Find what stands beside the controls of a tenant, by control, as it was known at a time.
Remarks = Callable[[Tenant, datetime | None], Mapping[str, Sequence[Remark]]]


class Boards(Protocol):
    """Compute the status of every control."""

    def board(self, tenant: Tenant, at: datetime | None = None) -> Board:
        """Return the board of a tenant now, or as it stood at `at`."""
        ...


class Past(Boards, Protocol):
    """Look back, too."""

    @property
    def catalog(self) -> Catalog: ...

    def history(self, tenant: Tenant, control: str, at: datetime | None = None) -> History:
        """Return when a control turned."""
        ...


def nothing_beside(_tenant: Tenant, _at: datetime | None) -> Mapping[str, Sequence[Remark]]:
    """Return nothing: nobody says anything beside the computed status."""
    return {}
