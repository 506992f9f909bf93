"""What let somebody in who has left, as what retention sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select

from ringfence.identity.signin.keyring import PASSKEYS, RECOVERY, TOTPS
from ringfence.identity.signin.store import SESSIONS
from ringfence.identity.store import PASSES, PEOPLE
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import Tenant
from ringfence.retention.model import ClassName, Item, Tally
from ringfence.retention.ports import Wanted
from ringfence.storage.database import Database

CREDENTIALS = ClassName("leaver-credentials")
_TABLES = (PASSKEYS, TOTPS, RECOVERY, SESSIONS, PASSES)


@dataclass(frozen=True, slots=True)
class LeaverCredentials:
    """A `Source` whose items are people: passkeys, codes, sessions and links of those whose access has ended."""

    database: Database
    name: str = "leaver-credentials"

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how many people there are of whom something is left."""
        query = select(func.count(), func.min(PEOPLE.c.removed_at)).where(*_left(tenant))
        with self.database.reading() as connection:
            count, oldest = connection.execute(query).one()
        return {CREDENTIALS: Tally(count, None if oldest is None else from_millis(oldest))}

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return those who left before a time, the oldest first."""
        if kind != CREDENTIALS:
            return ()
        query = select(PEOPLE).where(*_left(tenant), PEOPLE.c.removed_at <= to_millis(before))
        return self._items(query.order_by(PEOPLE.c.removed_at, PEOPLE.c.person).offset(skip).limit(limit))

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those of whom something is still here."""
        return self._items(select(PEOPLE).where(*_left(tenant), PEOPLE.c.person.in_(keys)))

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return a person who has left."""
        named = PEOPLE.c.person.in_(sorted(wanted.names))
        return self._items(select(PEOPLE).where(*_left(tenant), named).limit(limit)) if wanted.names else ()

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Delete every row that let somebody in."""
        people = [item.key for item in items]
        for table in _TABLES:
            own = (table.c.tenant == tenant, table.c.person.in_(people))
            self.database.connection().execute(delete(table).where(*own))

    def _items(self, query: Any) -> list[Item]:
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Item(CREDENTIALS, self.name, row.person, from_millis(row.removed_at), "credential", frozenset({row.person}))
            for row in rows
        ]


def _left(tenant: Tenant) -> tuple[Any, ...]:
    """Return the condition under which somebody has left, and something that let them in is here."""
    held = [PEOPLE.c.person.in_(select(table.c.person).where(table.c.tenant == tenant)) for table in _TABLES]
    return (PEOPLE.c.tenant == tenant, PEOPLE.c.removed_at.is_not(None), or_(*held))
