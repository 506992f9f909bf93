"""Holds, runs and what they destroyed, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ringfence.kernel import digest
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.retention.model import (
    Act,
    ClassName,
    Erased,
    Fate,
    Hold,
    HoldId,
    Item,
    Outcome,
    Run,
    RunId,
    Scope,
)
from ringfence.storage.database import METADATA, Database

HOLDS = Table(
    "retention_holds",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("hold", String(32), primary_key=True),
    Column("scope", Text, nullable=False),  # JSON
    Column("names", Text, nullable=False),  # JSON list: under which the person is known
    Column("placed_by", String(32), nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("released_by", String(32)),
    Column("released_at", BigInteger),
)
RUNS = Table(
    "retention_runs",
    METADATA,
    Column("run", String(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("act", String(16), nullable=False),
    Column("kind", String(64), nullable=False),  # class of a sweep; empty: of an erasure
    Column("requested", LargeBinary(32), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)
ITEMS = Table(
    "retention_items",  # of runs that are not finished
    METADATA,
    Column("run", String(32), primary_key=True),
    Column("source", String(32), primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),  # empty where it has none
    Column("since", BigInteger, nullable=False),
    Column("fate", String(16), nullable=False),
)
ERASED = Table(
    "retention_erased",
    METADATA,
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("run", String(32), nullable=False),
    Column("act", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class HoldTable:
    """`Holds` in the database."""

    database: Database

    def add(self, hold: Hold) -> None:
        """Keep a hold."""
        values = {
            "tenant": hold.tenant,
            "hold": hold.id,
            "scope": digest.dumps(_scope_document(hold.scope)).decode(),
            "names": digest.dumps(sorted(hold.names)).decode(),
            "placed_by": hold.placed_by,
            "placed_at": to_millis(hold.placed_at),
        }
        self.database.connection().execute(insert(HOLDS), [values])

    def all(self, tenant: Tenant) -> list[Hold]:
        """Return every hold of a tenant, the newest first."""
        return self._found(HOLDS.c.tenant == tenant)

    def by_id(self, tenant: Tenant, hold: HoldId) -> Hold | None:
        """Return one hold."""
        return next(iter(self._found(HOLDS.c.tenant == tenant, HOLDS.c.hold == hold)), None)

    def release(self, hold: Hold, by: PersonId, at: datetime) -> bool:
        """End a hold; return whether it was in force."""
        own = (HOLDS.c.tenant == hold.tenant, HOLDS.c.hold == hold.id, HOLDS.c.released_at.is_(None))
        change = update(HOLDS).where(*own).values(released_by=by, released_at=to_millis(at))
        return self.database.connection().execute(change).rowcount == 1

    def _found(self, *conditions: Any) -> list[Hold]:
        query = select(HOLDS).where(*conditions).order_by(HOLDS.c.placed_at.desc(), HOLDS.c.hold)
        with self.database.reading() as connection:
            return [_hold(row) for row in connection.execute(query)]


def _scope_document(scope: Scope) -> dict[str, Any]:
    times = {name: to_millis(at) for name, at in (("start", scope.start), ("end", scope.end)) if at is not None}
    words = {"person": scope.person, "incident": scope.incident, "family": scope.family}
    return {name: word for name, word in words.items() if word} | times


def _hold(row: Any) -> Hold:
    document = digest.loads(row.scope, source="retention_holds")
    start, end = (from_millis(document.pop(name)) if name in document else None for name in ("start", "end"))
    return Hold(
        HoldId(row.hold),
        Tenant(row.tenant),
        Scope(**document, start=start, end=end),
        PersonId(row.placed_by),
        from_millis(row.placed_at),
        frozenset(digest.loads(row.names, source="retention_holds")),
        None if row.released_by is None else PersonId(row.released_by),
        None if row.released_at is None else from_millis(row.released_at),
    )


@dataclass(frozen=True, slots=True)
class RunTables:
    """`Runs` in the database."""

    database: Database

    def add(self, run: Run, items: Sequence[Item]) -> None:
        """Keep a run with its list."""
        values = {
            "run": run.id,
            "tenant": run.tenant,
            "act": run.act.value,
            "kind": run.kind or "",
            "requested": run.requested.value,
            "asked_at": to_millis(run.asked_at),
        }
        connection = self.database.connection()
        connection.execute(insert(RUNS), [values])
        if items:
            connection.execute(insert(ITEMS), [_listed(run, item) for item in items])

    def unfinished(self) -> list[Run]:
        """Return the runs that were cut off, the oldest first."""
        query = select(RUNS).where(RUNS.c.finished_at.is_(None)).order_by(RUNS.c.asked_at, RUNS.c.run)
        with self.database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def waiting(self, run: Run, limit: int) -> list[Item]:
        """Return items that nothing has become of, as they were when the run began."""
        query = select(ITEMS).where(ITEMS.c.run == run.id, ITEMS.c.fate == Fate.WANTED.value)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(ITEMS.c.source, ITEMS.c.key).limit(limit)).all()
        return [
            Item(ClassName(r.kind), r.source, r.key, from_millis(r.since), "", commitment=r.commitment) for r in rows
        ]

    def pending(self, tenant: Tenant) -> set[tuple[str, str]]:
        """Return source and key of each item that a run which is not over is yet to decide."""
        of_tenant = select(RUNS.c.run).where(RUNS.c.tenant == tenant, RUNS.c.finished_at.is_(None))
        query = select(ITEMS.c.source, ITEMS.c.key).where(ITEMS.c.run.in_(of_tenant), ITEMS.c.fate == Fate.WANTED.value)
        with self.database.reading() as connection:
            return {(row.source, row.key) for row in connection.execute(query)}

    def settle(self, run: Run, fates: Sequence[tuple[Item, Fate]], at: datetime) -> None:
        """Write what became of items; of details that were destroyed, since when."""
        connection = self.database.connection()
        own = (ITEMS.c.run == run.id, ITEMS.c.source == bindparam("of"), ITEMS.c.key == bindparam("name"))
        values = [{"of": item.source, "name": item.key, "became": fate.value} for item, fate in fates]
        if values:
            connection.execute(update(ITEMS).where(*own).values(fate=bindparam("became")), values)
        gone = [item.commitment for item, fate in fates if fate is Fate.DESTROYED and item.commitment]
        if gone:
            common = {"tenant": run.tenant, "run": run.id, "act": run.act.value, "at": to_millis(at)}
            connection.execute(delete(ERASED).where(ERASED.c.commitment.in_(gone)))
            connection.execute(insert(ERASED), [common | {"commitment": each} for each in gone])

    def outcome(self, run: Run) -> Outcome:
        """Return how a run has gone so far."""
        counts = select(ITEMS.c.fate, func.count()).where(ITEMS.c.run == run.id).group_by(ITEMS.c.fate)
        gone = select(ERASED.c.commitment).where(ERASED.c.run == run.id)
        with self.database.reading() as connection:
            fates = {Fate(fate): count for fate, count in connection.execute(counts).all()}
            return Outcome(run, fates, tuple(Digest(row.commitment) for row in connection.execute(gone)))

    def finish(self, run: Run, at: datetime) -> None:
        """Write that a run is over, and forget its list."""
        connection = self.database.connection()
        connection.execute(delete(ITEMS).where(ITEMS.c.run == run.id))
        connection.execute(update(RUNS).where(RUNS.c.run == run.id).values(finished_at=to_millis(at)))

    def erased(self, tenant: Tenant, commitment: Digest) -> Erased | None:
        """Return since when details are gone; None where no run of ours destroyed them."""
        own = (ERASED.c.tenant == tenant, ERASED.c.commitment == commitment.value)
        with self.database.reading() as connection:
            row = connection.execute(select(ERASED).where(*own)).first()
        return None if row is None else Erased(from_millis(row.at), Act(row.act))

    def last(self, tenant: Tenant) -> datetime | None:
        """Return when the newest sweep of a tenant ended."""
        query = select(func.max(RUNS.c.finished_at)).where(RUNS.c.tenant == tenant, RUNS.c.act == Act.SWEEP.value)
        with self.database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else from_millis(found)


def _listed(run: Run, item: Item) -> dict[str, Any]:
    return {
        "run": run.id,
        "source": item.source,
        "key": item.key,
        "kind": item.kind,
        "commitment": item.commitment,
        "since": to_millis(item.since),
        "fate": Fate.WANTED.value,
    }


def _run(row: Any) -> Run:
    kind = ClassName(row.kind) if row.kind else None
    return Run(RunId(row.run), Tenant(row.tenant), Act(row.act), kind, Digest(row.requested), from_millis(row.asked_at))
