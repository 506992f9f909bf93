"""What the explorer needs: the log, and an index over it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.ledger.explorer.model import Asked, Counted, Neighbours, Reach, Totals
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import LoggedStatement


class Log(Protocol):
    """The statements, each as it was signed."""

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements below entry `before`, recorded until `at`, newest first."""
        ...

    def named(
        self, tenant: Tenant, entries: Collection[int], *, at: datetime | None = None
    ) -> Sequence[LoggedStatement]:
        """Return those of a tenant's statements that stand at these entries, in log order."""
        ...

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> Mapping[PredicateName, int]:
        """Return how many statements of each type were recorded until `at`."""
        ...

    def issuers(self, tenant: Tenant, at: datetime | None = None) -> Issuers:
        """Return every key that was enrolled for a tenant."""
        ...


class Index(Protocol):
    """Where entries are found; it is made of the envelopes, and what it finds is read from them again."""

    def catch_up(self, limit: int) -> Reach:
        """Take in at most so many entries that are not in it yet; return how far it reaches then."""
        ...

    def reach(self) -> Reach:
        """Return how far it reaches."""
        ...

    def find(self, tenant: Tenant, asked: Asked, limit: int) -> list[int]:
        """Return the newest entries of a tenant that match, at most so many, newest first."""
        ...

    def count(self, tenant: Tenant, asked: Asked) -> Counted:
        """Return how many entries match, whatever `before` is."""
        ...

    def totals(self, tenant: Tenant, at: datetime | None) -> list[Totals]:
        """Return what each key stated, in the order in which they first did."""
        ...

    def jumps(self, tenant: Tenant, key: KeyId, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return the pairs of sequence numbers of a key between which numbers are missing."""
        ...

    def numbers(self, tenant: Tenant, at: datetime | None) -> tuple[int, int, int, int]:
        """Return of a tenant's own sequence: how many are numbered, the first, the last; and how many are not."""
        ...

    def tenant_jumps(self, tenant: Tenant, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return the pairs of the tenant's own numbers between which numbers are missing."""
        ...

    def beside(self, tenant: Tenant, entry: int, key: KeyId, subject: str) -> Neighbours:
        """Return the entries before and after one: of the same key, and about a subject of the same name."""
        ...
