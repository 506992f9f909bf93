"""Rows of other parts that grow old, as what retention sweeps."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, delete, func, select, tuple_, update

from ringfence.kernel import digest
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import Tenant
from ringfence.retention.model import ClassName, Item, Tally
from ringfence.retention.ports import Wanted
from ringfence.storage.database import Database


@dataclass(frozen=True, slots=True)
class AgedRows:
    """Rows of a table that grow old, as a `Source`; the key is the primary key."""

    database: Database
    name: str
    kind: ClassName
    table: Table
    since: str  # column, ms since the epoch
    predicate: str  # what a hold on a kind of statement knows them by
    only: tuple[Any, ...] = ()  # conditions under which a row may go
    named: tuple[str, ...] = ()  # columns that hold a person, an incident or a subject
    person: str = ""  # the column by which an erasure finds somebody's
    blanked: Mapping[str, str] = field(default_factory=dict)  # what is overwritten instead of deleting the row
    also: Callable[[Tenant, Sequence[Mapping[str, Any]]], None] | None = None  # destroy what hangs on these rows

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how many rows there are."""
        since = self.table.c[self.since]
        query = select(func.count(), func.min(since)).where(*self._mine(tenant))
        with self.database.reading() as connection:
            count, oldest = connection.execute(query).one()
        return {self.kind: Tally(count, None if oldest is None else from_millis(oldest))}

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return rows, the oldest first."""
        if kind != self.kind:
            return ()
        condition = self.table.c[self.since] <= to_millis(before)
        query = select(self.table).where(*self._mine(tenant), condition).order_by(self.table.c[self.since], *self._keys)
        return self._items(query.offset(skip).limit(limit))

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those that are still here."""
        values = [_values(self._keys, key) for key in keys]
        return self._items(select(self.table).where(*self._mine(tenant), tuple_(*self._keys).in_(values)))

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return the rows of a person, where rows are a person's."""
        if not self.person or not wanted.names:
            return ()
        own = self.table.c[self.person].in_(sorted(wanted.names))
        return self._items(select(self.table).where(*self._mine(tenant), own).limit(limit))

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Delete the rows, or overwrite what is to go."""
        values = [_values(self._keys, item.key) for item in items]
        if not values:
            return
        own = (self.table.c.tenant == tenant, tuple_(*self._keys).in_(values))
        change = update(self.table).values(**self.blanked) if self.blanked else delete(self.table)
        if self.also is not None:
            names = [column.name for column in self._keys]
            self.also(tenant, [dict(zip(names, each, strict=True)) for each in values])
        self.database.connection().execute(change.where(*own))

    @property
    def _keys(self) -> list[Column[Any]]:
        return list(self.table.primary_key.columns)

    def _mine(self, tenant: Tenant) -> tuple[Any, ...]:
        still = [self.table.c[name] != value for name, value in self.blanked.items()]
        return (self.table.c.tenant == tenant, *self.only, *still)

    def _items(self, query: Any) -> list[Item]:
        with self.database.reading() as connection:
            return [self._item(dict(row)) for row in connection.execute(query).mappings()]

    def _item(self, row: Mapping[str, Any]) -> Item:
        key = digest.dumps([_text(row[column.name]) for column in self._keys]).decode()
        names = frozenset(str(row[name]) for name in self.named)
        return Item(self.kind, self.name, key, from_millis(row[self.since]), self.predicate, names)


def _text(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _values(columns: Sequence[Column[Any]], key: str) -> tuple[Any, ...]:
    found = digest.loads(key, source="retention_items")
    return tuple(
        base64.b64decode(value) if isinstance(column.type, LargeBinary) else value
        for column, value in zip(columns, found, strict=True)
    )
