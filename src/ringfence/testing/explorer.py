"""An index of the explorer that looks at every statement: what the real one is compared with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.ledger.explorer.matching import matches
from ringfence.ledger.explorer.model import Asked, Counted, Neighbours, Reach, Totals
from ringfence.ledger.model import LoggedStatement


@dataclass(slots=True)
class EveryStatement:
    """`Index` over a function that returns all statements of a tenant in log order."""

    statements: Callable[[Tenant], Sequence[LoggedStatement]]

    def catch_up(self, limit: int) -> Reach:  # noqa: ARG002
        """Return that nothing is missing."""
        return self.reach()

    def reach(self) -> Reach:
        """Return that nothing is missing."""
        return Reach(1, 1)

    def find(self, tenant: Tenant, asked: Asked, limit: int) -> list[int]:
        """Return the newest entries that match."""
        found = [logged.entry for logged in self.statements(tenant) if matches(logged, asked)]
        return sorted(found, reverse=True)[:limit]

    def count(self, tenant: Tenant, asked: Asked) -> Counted:
        """Count what matches."""
        every = replace(asked, query=replace(asked.query, before=None))
        return Counted(len(self.find(tenant, every, 2**31)))

    def totals(self, tenant: Tenant, at: datetime | None) -> list[Totals]:
        """Count by key."""
        by: dict[KeyId, list[LoggedStatement]] = {}
        for logged in self._until(tenant, at):
            by.setdefault(logged.envelope.signer, []).append(logged)
        return [_total(key, found) for key, found in by.items()]

    def jumps(self, tenant: Tenant, key: KeyId, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return where numbers of a key are missing."""
        mine = [logged for logged in self._until(tenant, at) if logged.envelope.signer == key]
        return _jumps((logged.envelope.statement.issuance.sequence for logged in mine), limit)

    def numbers(self, tenant: Tenant, at: datetime | None) -> tuple[int, int, int, int]:
        """Return how many are numbered, from where to where, and how many are not."""
        every = self._until(tenant, at)
        found = [logged.place.sequence for logged in every if logged.place]
        return len(found), min(found, default=0), max(found, default=0), len(every) - len(found)

    def tenant_jumps(self, tenant: Tenant, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return where numbers of the tenant are missing."""
        return _jumps((logged.place.sequence for logged in self._until(tenant, at) if logged.place), limit)

    def beside(self, tenant: Tenant, entry: int, key: KeyId, subject: str) -> Neighbours:
        """Return the entries beside one."""
        every = self.statements(tenant)
        same_key = [one.entry for one in every if one.envelope.signer == key]
        same_name = [
            one.entry for one in every if any(each.name == subject for each in one.envelope.statement.subjects)
        ]
        return Neighbours(*_around(same_key, entry), *_around(same_name, entry))

    def _until(self, tenant: Tenant, at: datetime | None) -> list[LoggedStatement]:
        return [logged for logged in self.statements(tenant) if at is None or logged.recorded_at <= at]


def _total(key: KeyId, found: Sequence[LoggedStatement]) -> Totals:
    numbers = [logged.envelope.statement.issuance.sequence for logged in found]
    return Totals(key, len(found), min(numbers), max(numbers), found[-1].entry, found[-1].recorded_at)


def _jumps(numbers: Iterable[int], limit: int) -> list[tuple[int, int]]:
    return [(low, high) for low, high in pairwise(sorted(numbers)) if high != low + 1][:limit]


def _around(entries: Sequence[int], entry: int) -> tuple[int | None, int | None]:
    return (
        max((each for each in entries if each < entry), default=None),
        min((each for each in entries if each > entry), default=None),
    )
