"""The index of the explorer: what is asked for most, taken from the envelopes after they were integrated.

It is no evidence: it is filled behind the integrator, may be emptied and filled again at any time, and every statement
that it finds is read from its envelope and compared once more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.ledger.explorer.matching import DIGEST
from ringfence.ledger.explorer.model import Asked, Counted, Neighbours, Query, Reach, Totals, Window
from ringfence.storage.database import METADATA, Database
from ringfence.storage.rows import STATEMENTS, intact

FACTS = Table(
    "ledger_facts",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("issuer", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("tenant_sequence", BigInteger),
    Column("predicate", String(128), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("strength", Integer, nullable=False),
    Column("demo", Boolean, nullable=False),
    sqlite_with_rowid=False,  # kept in the order of the entries, in which it is read
)
Index("ledger_facts_of", FACTS.c.tenant, FACTS.c.issuer, FACTS.c.entry, FACTS.c.sequence, FACTS.c.recorded_at)
SUBJECTS = Table(
    "ledger_subjects",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(256), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
Index("ledger_subjects_by_name", SUBJECTS.c.tenant, SUBJECTS.c.name, SUBJECTS.c.entry)
Index("ledger_subjects_by_digest", SUBJECTS.c.tenant, SUBJECTS.c.digest, SUBJECTS.c.entry)
EXPLORED = Table(
    "ledger_explored",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),  # the first entry that is not in the index
)

COUNTED = 10_000  # beyond, "so many or more" is answer enough


@dataclass(frozen=True, slots=True)
class IndexTables:
    """`Index` over the database of the home."""

    database: Database
    few: int = 2_000  # entries about a subject that are named one by one; beyond, the log is read from its end

    # Fill

    def reach(self) -> Reach:
        """Return how far it reaches."""
        with self.database.reading() as connection:
            done = connection.execute(select(EXPLORED.c.entries)).scalar() or 0
            newest = connection.execute(select(func.max(STATEMENTS.c.entry))).scalar()
        return Reach(int(done), 0 if newest is None else int(newest) + 1)

    def catch_up(self, limit: int) -> Reach:
        """Take in at most `limit` entries; envelopes that were changed behind our back are left out."""
        known = self.reach()
        if not known.behind:
            return known
        end = min(known.size, known.entries + limit)
        facts, subjects = self._read(known.entries, end)
        with self.database.transaction():
            connection = self.database.connection()
            if int(connection.execute(select(EXPLORED.c.entries)).scalar() or 0) != known.entries:
                return self.reach()  # another process was faster
            for table, values in ((FACTS, facts), (SUBJECTS, subjects)):
                if values:
                    connection.execute(insert(table), values)
            connection.execute(delete(EXPLORED))
            connection.execute(insert(EXPLORED), [{"id": 0, "entries": end}])
        return Reach(end, known.size)

    def _read(self, start: int, end: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        columns = (STATEMENTS.c[name] for name in ("entry", "recorded_at", "tenant_sequence", "envelope", "digest"))
        query = select(*columns).where(STATEMENTS.c.entry >= start, STATEMENTS.c.entry < end)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(STATEMENTS.c.entry)).all()
        found = [(row, envelope) for row in rows if (envelope := intact(row)) is not None]
        facts = [_facts(row, envelope) for row, envelope in found]
        return facts, [values for row, envelope in found for values in _subjects(row.entry, envelope)]

    # Find

    def find(self, tenant: Tenant, asked: Asked, limit: int) -> list[int]:
        """Return the newest entries that match, newest first."""
        conditions = self._conditions(tenant, asked)
        if (before := asked.query.before) is not None:
            conditions.append(FACTS.c.entry < before)
        query = select(FACTS.c.entry).where(*conditions).order_by(FACTS.c.entry.desc()).limit(limit)
        return [row.entry for row in self._all(query)]

    def count(self, tenant: Tenant, asked: Asked) -> Counted:
        """Return how many entries match, up to a limit."""
        if asked.query.subject and asked == Asked(Query(subject=asked.query.subject, before=asked.query.before)):
            # Nothing else is asked for, so that the index by subject alone knows.
            found = select(SUBJECTS.c.entry).where(_named(tenant, asked.query.subject)).distinct()
        else:
            found = select(FACTS.c.entry).where(*self._conditions(tenant, asked))
        some = found.limit(COUNTED + 1).subquery()
        number = int(self._all(select(func.count()).select_from(some))[0][0])
        return Counted(min(number, COUNTED), number > COUNTED)

    def _conditions(self, tenant: Tenant, asked: Asked) -> list[ColumnElement[bool]]:
        query = asked.query
        found = [FACTS.c.tenant == tenant, *_times(query.since, query.until, query.at)]
        for column, value in ((FACTS.c.predicate, query.predicate), (FACTS.c.demo, query.demo)):
            if value is not None:
                found.append(column == value)
        if query.strength is not None:
            found.append(FACTS.c.strength == int(query.strength))
        if asked.keys is not None:
            found.append(FACTS.c.issuer.in_(sorted(asked.keys)))
        if asked.beginning:
            found.append(func.substr(FACTS.c.issuer, 1, len(asked.beginning)) == asked.beginning)
        if asked.windows is not None:
            inside = or_(*map(_window, asked.windows.windows)) if asked.windows.windows else FACTS.c.entry < 0
            found.append(~inside if asked.windows.outside else inside)
        return [*found, self._about(tenant, query.subject)] if query.subject else found

    def _about(self, tenant: Tenant, wanted: str) -> ColumnElement[bool]:
        """Return the condition on subjects: a few entries by their numbers, many by looking at each entry."""
        rows = self._all(select(SUBJECTS.c.entry).where(_named(tenant, wanted)).limit(self.few + 1))
        if len(rows) <= self.few:
            return FACTS.c.entry.in_(sorted({row.entry for row in rows}))
        # An expression in the place of a column keeps SQLite from reading all names for each entry.
        name, digest = func.coalesce(SUBJECTS.c.name, ""), func.coalesce(SUBJECTS.c.digest, b"")
        of_entry = and_(SUBJECTS.c.tenant == FACTS.c.tenant, SUBJECTS.c.entry == FACTS.c.entry)
        return exists().where(of_entry, _begins(wanted, name, digest))

    # Sequences

    def totals(self, tenant: Tenant, at: datetime | None) -> list[Totals]:
        """Return what each key stated."""
        c = FACTS.c
        columns = (func.count(), func.min(c.sequence), func.max(c.sequence), func.max(c.entry), func.max(c.recorded_at))
        query = select(c.issuer, *columns).where(c.tenant == tenant, *_times(at=at)).group_by(c.issuer)
        rows = self._all(query.order_by(func.min(c.entry)))
        return [Totals(KeyId(row[0]), row[1], row[2], row[3], row[4], from_millis(row[5])) for row in rows]

    def jumps(self, tenant: Tenant, key: KeyId, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return where numbers of a key are missing."""
        return self._jumps(FACTS.c.sequence, limit, FACTS.c.tenant == tenant, FACTS.c.issuer == key, *_times(at=at))

    def numbers(self, tenant: Tenant, at: datetime | None) -> tuple[int, int, int, int]:
        """Return how many of a tenant's entries are numbered, from where to where, and how many are not."""
        number = FACTS.c.tenant_sequence
        columns = (func.count(number), func.min(number), func.max(number), func.count())
        numbered, first, last, every = self._all(select(*columns).where(FACTS.c.tenant == tenant, *_times(at=at)))[0]
        return int(numbered), int(first or 0), int(last or 0), int(every) - int(numbered)

    def tenant_jumps(self, tenant: Tenant, at: datetime | None, limit: int) -> list[tuple[int, int]]:
        """Return where numbers of the tenant are missing."""
        number = FACTS.c.tenant_sequence
        return self._jumps(number, limit, FACTS.c.tenant == tenant, number.is_not(None), *_times(at=at))

    def _jumps(self, number: Column[Any], limit: int, *conditions: ColumnElement[bool]) -> list[tuple[int, int]]:
        follower = func.lead(number).over(order_by=number).label("follower")
        pairs = select(number.label("number"), follower).where(*conditions).subquery()
        wrong = pairs.c.follower != pairs.c.number + 1
        rows = self._all(select(pairs).where(wrong).order_by(pairs.c.number).limit(limit))
        return [(int(row.number), int(row.follower)) for row in rows]

    def beside(self, tenant: Tenant, entry: int, key: KeyId, subject: str) -> Neighbours:
        """Return the entries before and after one."""
        of_key = (FACTS.c.tenant == tenant, FACTS.c.issuer == key)
        of_subject = (SUBJECTS.c.tenant == tenant, SUBJECTS.c.name == subject)
        return Neighbours(
            *self._around(FACTS.c.entry, entry, *of_key), *self._around(SUBJECTS.c.entry, entry, *of_subject)
        )

    def _around(self, column: Column[Any], entry: int, *same: ColumnElement[bool]) -> tuple[int | None, int | None]:
        before = self._all(select(func.max(column)).where(*same, column < entry))[0][0]
        after = self._all(select(func.min(column)).where(*same, column > entry))[0][0]
        return before, after

    def _all(self, query: Any) -> Any:
        with self.database.reading() as connection:
            return connection.execute(query).all()


def _facts(row: Any, envelope: Envelope) -> dict[str, Any]:
    statement = envelope.statement
    issuance = statement.issuance
    return {
        "tenant": issuance.tenant,
        "entry": row.entry,
        "issuer": envelope.signer,
        "sequence": issuance.sequence,
        "tenant_sequence": row.tenant_sequence,
        "predicate": statement.predicate,
        "recorded_at": row.recorded_at,
        "strength": int(issuance.strength),
        "demo": issuance.demo,
    }


def _subjects(entry: int, envelope: Envelope) -> Iterator[dict[str, Any]]:
    statement = envelope.statement
    for position, subject in enumerate(statement.subjects):
        yield {
            "tenant": statement.issuance.tenant,
            "entry": entry,
            "position": position,
            "name": subject.name,
            "digest": subject.digest.value,
        }


def _times(
    since: datetime | None = None, until: datetime | None = None, at: datetime | None = None
) -> list[ColumnElement[bool]]:
    recorded = FACTS.c.recorded_at
    found = [recorded >= to_millis(since)] if since else []
    found += [recorded < to_millis(until)] if until else []
    return found + ([recorded <= to_millis(at)] if at else [])


def _window(window: Window) -> ColumnElement[bool]:
    conditions: Iterable[ColumnElement[bool]] = _times(since=window.since, until=window.until)
    entries = [FACTS.c.entry >= window.least] if window.least else []
    entries += [FACTS.c.entry < window.below] if window.below is not None else []
    return and_(FACTS.c.issuer == window.key, *conditions, *entries)


def _named(tenant: Tenant, wanted: str) -> ColumnElement[bool]:
    return and_(SUBJECTS.c.tenant == tenant, _begins(wanted, SUBJECTS.c.name, SUBJECTS.c.digest))


def _begins(wanted: str, name: ColumnElement[str], digest: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Return the range of names, or of digests, that begin so: no pattern, so that no character means anything."""
    if wanted.startswith(DIGEST):
        digits = wanted.removeprefix(DIGEST)
        low, high = bytes.fromhex(digits.ljust(64, "0")), bytes.fromhex(digits.ljust(64, "f"))
        return digest.between(low, high)
    # Names are printable ASCII, and both databases order them by their bytes: all that begin so are below this.
    return and_(name >= wanted, name < wanted + "\x7f")
