"""The outbox: signed statements, sequenced in the transaction of whoever states them.

A row's `entry` stays NULL until the integrator gives it an index; the integrator alone does, and asks for the rows
without one: on PostgreSQL a transaction that began first may commit last, and its rows are integrated later then. The
statements of one issuer keep their order, since only one transaction at a time sequences them.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Column, Row, Select, bindparam, func, insert, select, update

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, from_millis, recording_time, to_millis, to_text
from ringfence.kernel.commitment import SALT_SIZE, Opening, commit, open_commitment
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, Refused, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, Statement
from ringfence.storage.database import Database
from ringfence.storage.numbering import Randomness, TenantNumbers
from ringfence.storage.rows import (
    SIDE_RECORDS,
    STATEMENTS,
    Filed,
    Integrated,
    Kept,
    Pending,
    StoredStatement,
    blob,
    filed,
    from_row,
    intact,
    to_row,
)

_FEW = 500  # side records that are asked for one by one; beyond, all of the tenant's are read at once
SKEW = timedelta(minutes=5)  # how far an issuer's clock may be from ours


class StatementSigner(Protocol):
    """The control plane's signing key."""

    @property
    def key(self) -> KeyId:
        """Return the id of the key."""
        ...

    def sign(self, statement: Statement) -> Envelope:
        """Sign a statement that names this key as its issuer."""
        ...


class Gatekeeper(Protocol):
    """Decides whether an envelope's issuer may state this, at this time, for this person."""

    def check(self, envelope: Envelope, *, by: Person, at: datetime) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Outbox:
    """The `Recorder` of every capability."""

    database: Database
    signer: StatementSigner
    gatekeeper: Gatekeeper
    clock: Clock
    random: Randomness
    log: LogOrigin
    demo_tenants: AbstractSet[Tenant] = frozenset()

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Sign `draft` with the control plane's key and sequence it."""
        key = self.signer.key
        self.database.take_turn(tenant, key)
        if draft.idempotency_key and (known := self._known(tenant, key, draft.idempotency_key)):
            return known
        opening = commit(draft.details, self.random(SALT_SIZE)) if draft.details else None
        nonce = self.random(16).hex()
        issuance = Issuance(
            tenant=tenant,
            log=self.log,
            issuer=key,
            strength=draft.strength,
            sequence=self.next_sequence(tenant, key),
            nonce=nonce,
            idempotency_key=draft.idempotency_key or nonce,
            issued_at=self.clock.now(),
            demo=tenant in self.demo_tenants,
        )
        commitment = opening.commitment if opening else None
        statement = draft.issued(issuance, commitment)
        return self.append(self.signer.sign(statement), opening)

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:
        """Sequence a statement that the person `by` signed; see `kernel.evidence.Recorder`."""
        issuance = envelope.statement.issuance
        now = self.clock.now()
        self.gatekeeper.check(envelope, by=by, at=now)
        self._check_place(issuance, by.tenant)
        self.database.take_turn(by.tenant, issuance.issuer)
        if known := self._known(by.tenant, issuance.issuer, issuance.idempotency_key):
            return known
        if abs(issuance.issued_at - now) > SKEW:
            raise Refused(
                f"the statement says it was issued at {to_text(issuance.issued_at)}, but it is {to_text(now)} here; "
                "set the clock and sign it again"
            )
        return self._append_next(envelope, opening)

    def admit_from_root(self, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Sequence a statement whose signature by the root the caller has verified.

        The root is offline and signs ahead: its time is not compared with ours.
        """
        self._check_place(envelope.statement.issuance, envelope.statement.issuance.tenant)
        return self._append_next(envelope, opening)

    def admit_spooled(self, envelope: Envelope) -> Acknowledgement:
        """Sequence a statement of a journal of its own, whose signature and issuer the caller has checked.

        It may come long after it was issued, and come again; never before.
        """
        issuance = envelope.statement.issuance
        self._check_place(issuance, issuance.tenant)
        self.database.take_turn(issuance.tenant, issuance.issuer)
        if known := self._known(issuance.tenant, issuance.issuer, issuance.idempotency_key):
            return known
        now = self.clock.now()
        if issuance.issued_at - now > SKEW:
            raise Refused(f"the statement is dated {to_text(issuance.issued_at)}, but it is {to_text(now)} here")
        return self._append_next(envelope, None)

    def _check_place(self, issuance: Issuance, tenant: Tenant) -> None:
        if issuance.tenant != tenant or issuance.log != self.log:
            raise Refused(f"the statement is for {issuance.tenant} in {issuance.log}, not for this tenant and log")
        if issuance.demo != (tenant in self.demo_tenants):
            raise Refused("demo statements belong into demo tenants, and only there; sign it again for this tenant")

    def _append_next(self, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        _check_opening(envelope, opening)
        issuance = envelope.statement.issuance
        self.database.take_turn(issuance.tenant, issuance.issuer)
        expected = self.next_sequence(issuance.tenant, issuance.issuer)
        if issuance.sequence != expected:
            raise Conflict(f"the next statement of this key has sequence {expected}, not {issuance.sequence}")
        return self.append(envelope, opening)

    def append(self, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Insert a checked envelope and its side record."""
        issuance = envelope.statement.issuance
        with self.database.attempting(
            "this statement, its place or its idempotency key is taken already"
        ) as connection:
            connection.execute(insert(STATEMENTS), [to_row(envelope, self._instant())])
        if opening is not None:
            self._keep(opening, envelope)
        return Acknowledgement(envelope.digest, issuance.sequence, Stage.SEQUENCED)

    def _keep(self, opening: Opening, envelope: Envelope) -> None:
        values = {
            "commitment": opening.commitment.value,
            "tenant": envelope.statement.issuance.tenant,
            "opening": opening.data,
            "statement": envelope.digest.value,
            "predicate": envelope.statement.predicate,
            "since": to_millis(self.clock.now()),
        }
        # One salt, two statements: who erases one would leave the other guessable.
        taken = "this side record belongs to another statement already; draw a fresh salt"
        with self.database.attempting(taken) as connection:
            connection.execute(insert(SIDE_RECORDS), [values])

    def append_all(self, envelopes: Iterable[Envelope]) -> None:
        """Insert checked envelopes without side records, in one statement: the group commit of collectors."""
        at = self._instant()
        self.database.connection().execute(insert(STATEMENTS), [to_row(envelope, at) for envelope in envelopes])

    def _instant(self) -> datetime:
        """Return the time of what is sequenced now; refuse it where the log could not take it in at that time."""
        newest = select(STATEMENTS.c.recorded_at).where(STATEMENTS.c.entry.is_not(None))
        with self.database.reading() as connection:
            last = connection.execute(newest.order_by(STATEMENTS.c.entry.desc()).limit(1)).scalar()
        return recording_time(None if last is None else from_millis(last), self.clock.now())

    def next_sequence(self, tenant: Tenant, issuer: KeyId) -> int:
        """Return the place of an issuer's next statement."""
        query = select(func.max(STATEMENTS.c.sequence)).where(
            STATEMENTS.c.tenant == tenant, STATEMENTS.c.issuer == issuer
        )
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar() or 0) + 1

    def is_taken(self, tenant: Tenant, issuer: KeyId, sequence: int) -> bool:
        """Return whether an issuer's place has a statement."""
        query = select(STATEMENTS.c.id).where(
            STATEMENTS.c.tenant == tenant, STATEMENTS.c.issuer == issuer, STATEMENTS.c.sequence == sequence
        )
        with self.database.reading() as connection:
            return connection.execute(query).first() is not None

    def acknowledgement(self, digest: Digest) -> Acknowledgement | None:
        """Return how far a statement has come, as far as the database knows: sequenced or integrated."""
        return self._acknowledged(STATEMENTS.c.digest == digest.value)

    def stated(self, digest: Digest) -> Envelope | None:
        """Return a statement by its digest, with an index or without one; None where it is not known, or damaged."""
        query = select(STATEMENTS.c.digest, STATEMENTS.c.envelope).where(STATEMENTS.c.digest == digest.value)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else intact(row)

    def _known(self, tenant: Tenant, issuer: KeyId, idempotency_key: str) -> Acknowledgement | None:
        return self._acknowledged(
            STATEMENTS.c.tenant == tenant,
            STATEMENTS.c.issuer == issuer,
            STATEMENTS.c.idempotency_key == idempotency_key,
        )

    def _acknowledged(self, *conditions: Any) -> Acknowledgement | None:
        query = select(STATEMENTS.c.digest, STATEMENTS.c.sequence, STATEMENTS.c.entry).where(*conditions)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        found = Acknowledgement(Digest(row.digest), row.sequence, Stage.SEQUENCED)
        return found if row.entry is None else replace(found, stage=Stage.INTEGRATED, entry=row.entry)

    def pending(self, limit: int) -> list[Pending]:
        """Return the statements that have no index yet, in their order."""
        query = (
            select(STATEMENTS.c.id, STATEMENTS.c.digest, STATEMENTS.c.tenant)
            .where(STATEMENTS.c.entry.is_(None))
            .order_by(STATEMENTS.c.id)
            .limit(limit)
        )
        with self.database.reading() as connection:
            return [Pending(row.id, Digest(row.digest), Tenant(row.tenant)) for row in connection.execute(query)]

    def waiting(self, tenant: Tenant, predicates: Collection[PredicateName]) -> list[Digest]:
        """Return a tenant's statements of some types that have no index yet, in their order."""
        table = STATEMENTS
        unnumbered = (table.c.entry.is_(None), table.c.tenant == tenant, table.c.predicate.in_(predicates))
        with self.database.reading() as connection:
            rows = connection.execute(select(table.c.digest).where(*unnumbered).order_by(table.c.id))
            return [Digest(row.digest) for row in rows]

    @property
    def numbers(self) -> TenantNumbers:
        """Return how far the statements of each tenant are numbered."""
        return TenantNumbers(self.database, self.random)

    def assign(self, integrated: Sequence[Integrated]) -> None:
        """Write the indexes and the numbers that the integrator decided on."""
        change = (
            update(STATEMENTS)
            .where(STATEMENTS.c.id == bindparam("row"), STATEMENTS.c.entry.is_(None))
            .values(entry=bindparam("index"), recorded_at=bindparam("at"), tenant_sequence=bindparam("number"))
        )
        values = [
            {"row": i.id, "index": i.entry, "at": to_millis(i.recorded_at), "number": i.tenant_sequence}
            for i in integrated
        ]
        self.database.connection().execute(change, values)
        self.numbers.advance(integrated)

    def integrated(self, start: int, end: int) -> list[Filed]:
        """Return what is known of the entries from `start` up to but without `end`, of all tenants."""
        return [filed(row) for row in self._range(start, end)]

    def kept(self, start: int, end: int) -> list[Kept]:
        """Return the same with the stored bytes of the envelopes, unparsed."""
        return [Kept(filed(row), blob(row.envelope)) for row in self._range(start, end, STATEMENTS.c.envelope)]

    def _range(self, start: int, end: int, *more: Column[Any]) -> Sequence[Row[Any]]:
        table = STATEMENTS
        query = (
            select(table.c.entry, table.c.recorded_at, table.c.digest, table.c.tenant, table.c.tenant_sequence, *more)
            .where(table.c.entry >= start, table.c.entry < end)
            .order_by(table.c.entry)
        )
        with self.database.reading() as connection:
            return connection.execute(query).all()

    def statements(
        self,
        tenant: Tenant,
        predicates: Iterable[PredicateName] | None = None,
        *,
        at: datetime | None = None,
        size: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[StoredStatement]:
        """Return a tenant's integrated statements in log order.

        An envelope that no longer has its digest was changed behind our back: it counts for nothing and is left out
        here; `log.chain_verified` names it.

        Args:
            tenant: whose statements.
            predicates: only these evidence types.
            at: only what the log had recorded by then.
            size: only entries below this tree size.
            newest_first: in the opposite order.
            limit: at most so many.
            before: only entries below this index.
        """
        table = STATEMENTS
        kinds = None if predicates is None else list(predicates)
        # Which index serves depends on what is asked, and SQLite keeps no statistics here: it would read a whole log
        # for the few statements of a rare type, or sort all of a frequent type for the newest ten. An expression in
        # the place of a column keeps it from the index that does not serve. PostgreSQL decides by its statistics.
        by_type = kinds is not None and (limit is None or len(kinds) == 1)
        hinted = not self.database.is_postgresql
        entry = table.c.entry + 0 if by_type and hinted else table.c.entry
        kind = table.c.predicate.concat("") if not by_type and hinted else table.c.predicate
        query = (
            select(table.c.entry, table.c.recorded_at, table.c.envelope, table.c.digest, table.c.tenant_sequence)
            .where(table.c.tenant == tenant, entry.is_not(None))
            .order_by(entry.desc() if newest_first else entry)
        )
        if kinds is not None:
            query = query.where(kind.in_(kinds))
        if at is not None:
            query = query.where(table.c.recorded_at <= to_millis(at))
        for bound in (size, before):
            if bound is not None:
                query = query.where(entry < bound)
        if limit is not None:
            query = query.limit(limit)
        return self._stored(tenant, query)

    def named(self, tenant: Tenant, entries: Collection[int]) -> list[StoredStatement]:
        """Return those of a tenant's statements that stand at these entries, in log order."""
        table = STATEMENTS
        query = (
            select(table.c.entry, table.c.recorded_at, table.c.envelope, table.c.digest, table.c.tenant_sequence)
            .where(table.c.tenant == tenant, table.c.entry.in_(entries))
            .order_by(table.c.entry)
        )
        return self._stored(tenant, query)

    def _stored(self, tenant: Tenant, query: Select[Any]) -> list[StoredStatement]:
        with self.database.reading() as connection:
            found = [(row, envelope) for row in connection.execute(query) if (envelope := intact(row))]
            openings = self._openings(tenant, [envelope for _, envelope in found])
        return [from_row(row, envelope, openings) for row, envelope in found]

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> dict[PredicateName, int]:
        """Return how many integrated statements of each type a tenant has."""
        table = STATEMENTS
        query = (
            select(table.c.predicate, func.count())
            .where(table.c.tenant == tenant, table.c.entry.is_not(None))
            .group_by(table.c.predicate)
            .order_by(table.c.predicate)
        )
        if at is not None:
            query = query.where(table.c.recorded_at <= to_millis(at))
        with self.database.reading() as connection:
            return {PredicateName(name): count for name, count in connection.execute(query).all()}

    def _openings(self, tenant: Tenant, envelopes: Iterable[Envelope]) -> dict[bytes, Opening]:
        wanted = [e.statement.details.value for e in envelopes if e.statement.details is not None]
        query = select(SIDE_RECORDS.c.commitment, SIDE_RECORDS.c.opening).where(SIDE_RECORDS.c.tenant == tenant)
        if len(wanted) <= _FEW:
            query = query.where(SIDE_RECORDS.c.commitment.in_(wanted))
        with self.database.reading() as connection:
            return {row.commitment: Opening(row.opening) for row in connection.execute(query)} if wanted else {}


def _check_opening(envelope: Envelope, opening: Opening | None) -> None:
    commitment = envelope.statement.details
    if (commitment is None) != (opening is None):
        raise VerificationFailed(
            "a statement with a commitment needs its side record, and only such a statement has one"
        )
    if commitment is not None and opening is not None:
        open_commitment(commitment, opening.data)
