"""Details of statements, which can be destroyed without touching an envelope."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, false, func, or_, select

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope, parse
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.retention.model import DETAILS, ClassName, Item, Schedule, Tally
from ringfence.retention.ports import Wanted
from ringfence.storage.database import Database
from ringfence.storage.rows import SIDE_RECORDS, STATEMENTS

_OWN = ("record", "retention")  # families of what we state ourselves


@dataclass(frozen=True, slots=True)
class SideRecords:
    """The details of statements as a `Source`; the key is the commitment."""

    database: Database
    schedule: Schedule  # which class takes which type; a team changes periods only
    name: str = DETAILS

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how many details of each class there are."""
        query = select(SIDE_RECORDS.c.predicate, func.count(), func.min(SIDE_RECORDS.c.since))
        query = query.where(SIDE_RECORDS.c.tenant == tenant).group_by(SIDE_RECORDS.c.predicate)
        found: dict[ClassName, Tally] = {}
        with self.database.reading() as connection:
            for predicate, count, since in connection.execute(query):
                kind = self.schedule.of(predicate).name
                before = found.get(kind, Tally())
                oldest = min(filter(None, (before.oldest, from_millis(since))))
                found[kind] = Tally(before.count + count, oldest)
        return found

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return details of a class, the oldest first."""
        condition = and_(self._of(kind), SIDE_RECORDS.c.since <= to_millis(before))
        return self._items(tenant, condition, skip=skip, limit=limit)

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those that are still here."""
        return self._items(tenant, SIDE_RECORDS.c.commitment.in_([bytes.fromhex(key) for key in keys]))

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return the details of one statement, of statements about a subject, or of those that name somebody.

        That somebody was erased or held stays known until its own period is over, unless its statement is named.
        """
        if wanted.statement is not None:
            return self._items(tenant, SIDE_RECORDS.c.statement == wanted.statement.value, limit=limit)
        named = wanted.names or frozenset({wanted.subject})
        found: list[Item] = []
        skip = 0
        while page := self._items(tenant, ~_family(_OWN), skip=skip, limit=1000):
            found += [item for item in page if not named.isdisjoint(item.names)]
            skip += len(page)
        return found[:limit]

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Delete details and salts."""
        keys = [item.commitment for item in items]
        own = (SIDE_RECORDS.c.tenant == tenant, SIDE_RECORDS.c.commitment.in_(keys))
        self.database.connection().execute(delete(SIDE_RECORDS).where(*own))

    def _of(self, kind: ClassName) -> Any:
        """Return the condition under which details are of a class; classes of before it are asked first."""
        own = self.schedule.named(kind).families
        if "*" not in own:
            return _family(own)
        others = [family for each in self.schedule.classes for family in each.families if family != "*"]
        return ~_family(others)

    def _items(self, tenant: Tenant, condition: Any, *, skip: int = 0, limit: int | None = None) -> list[Item]:
        table = SIDE_RECORDS
        query = (
            select(table, STATEMENTS.c.envelope)
            .join(STATEMENTS, STATEMENTS.c.digest == table.c.statement, isouter=True)
            .where(table.c.tenant == tenant, condition)
            .order_by(table.c.since, table.c.commitment)
            .offset(skip)
            .limit(limit)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return [self._item(row) for row in rows]

    def _item(self, row: Any) -> Item:
        return Item(
            self.schedule.of(row.predicate).name,
            self.name,
            row.commitment.hex(),
            from_millis(row.since),
            row.predicate,
            _names(_parsed(row.envelope), row.opening),
            row.commitment,
        )


def _family(families: Sequence[str]) -> Any:
    return or_(false(), *(SIDE_RECORDS.c.predicate.startswith(f"{family}.", autoescape=True) for family in families))


def _parsed(data: bytes | None) -> Envelope | None:
    try:
        return None if data is None else parse(data)
    except MalformedInput:
        return None  # changed behind our back; its details still have an age


def _names(envelope: Envelope | None, opening: bytes) -> frozenset[str]:
    """Return every text that a statement and its details hold: whoever is named, by id, is among them."""
    found: set[str] = set()
    if envelope is not None:
        statement = envelope.statement
        found |= {statement.issuance.issuer, envelope.digest.hex, str(envelope.digest)}
        for subject in statement.subjects:
            found |= {subject.name, subject.digest.hex, str(subject.digest)}
        found.update(_texts(statement.claims))
    with suppress(MalformedInput):  # then they are not the details that were committed to
        found.update(_texts(Opening(opening).details))
    return frozenset(found)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | Mapping():
            for name, item in value.items():
                yield str(name)
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case _:
            return
