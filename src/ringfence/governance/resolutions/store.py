"""Resolutions in the database: which there are, which votes stand; all they say is in their statements."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, insert, select, update

from ringfence.governance.resolutions.model import Closing, Resolution, ResolutionId
from ringfence.governance.resolutions.statements import parse_opening
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.voting import Ballot, Choice, Outcome
from ringfence.storage.database import METADATA, Database

RESOLUTIONS = Table(
    "governance_resolutions",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("resolution", String(32), primary_key=True),
    Column("opening", LargeBinary(32), nullable=False),
    Column("opened_by", String(32), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("outcome", String(16)),
    Column("approval", LargeBinary(32)),
)
VOTES = Table(
    "governance_votes",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("resolution", String(32), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("choice", String(16), nullable=False),
    Column("envelope", LargeBinary(32), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ResolutionTables:
    """`Resolutions` in the database; `stated` finds the statement that opened one."""

    database: Database
    stated: Callable[[Digest], Envelope | None]

    def hold(self, tenant: Tenant, resolution: ResolutionId) -> None:
        """Wait until nobody else changes this resolution."""
        self.database.take_turn(tenant, resolution)

    def add(self, resolution: Resolution) -> None:
        """Add a resolution without votes."""
        row = {
            "tenant": resolution.tenant,
            "resolution": resolution.id,
            "opening": resolution.opening.value,
            "opened_by": resolution.opened_by,
            "opened_at": to_millis(resolution.opened_at),
            "ends_at": to_millis(resolution.terms.ends_at),
        }
        self.database.connection().execute(insert(RESOLUTIONS), [row])

    def all(self, tenant: Tenant) -> list[Resolution]:
        """Return every resolution of a tenant, the newest first."""
        return self._found(RESOLUTIONS.c.tenant == tenant)

    def by_id(self, tenant: Tenant, resolution: ResolutionId) -> Resolution | None:
        """Return one."""
        found = self._found(RESOLUTIONS.c.tenant == tenant, RESOLUTIONS.c.resolution == resolution)
        return next(iter(found), None)

    def vote(self, resolution: Resolution, ballot: Ballot) -> None:
        """Let a ballot stand in the place of the member's one before."""
        own = {"tenant": resolution.tenant, "resolution": resolution.id, "person": ballot.person}
        values = {"choice": ballot.choice.value, "envelope": ballot.envelope.value}
        connection = self.database.connection()
        same = [VOTES.c[name] == value for name, value in own.items()]
        if not connection.execute(update(VOTES).where(*same).values(**values)).rowcount:
            connection.execute(insert(VOTES), [own | values])

    def close(self, resolution: Resolution, closing: Closing) -> None:
        """Write how it ended, once."""
        own = (
            RESOLUTIONS.c.tenant == resolution.tenant,
            RESOLUTIONS.c.resolution == resolution.id,
            RESOLUTIONS.c.closed_at.is_(None),
        )
        change = update(RESOLUTIONS).where(*own)
        values = {
            "closed_at": to_millis(closing.at),
            "outcome": closing.outcome.value,
            "approval": closing.approval.value,
        }
        if self.database.connection().execute(change.values(**values)).rowcount != 1:
            raise InternalError(f"{resolution.id} was ended twice")

    def tenants(self) -> list[Tenant]:
        """Return the tenants of which a body has approved something."""
        query = select(RESOLUTIONS.c.tenant).where(RESOLUTIONS.c.outcome == Outcome.APPROVED.value).distinct()
        with self.database.reading() as connection:
            return [Tenant(name) for name in sorted(connection.execute(query).scalars())]

    def overdue(self, now: datetime) -> list[tuple[Tenant, ResolutionId]]:
        """Return what is open past its end, of every tenant."""
        query = select(RESOLUTIONS.c.tenant, RESOLUTIONS.c.resolution).where(
            RESOLUTIONS.c.closed_at.is_(None), RESOLUTIONS.c.ends_at <= to_millis(now)
        )
        with self.database.reading() as connection:
            return [(Tenant(row.tenant), ResolutionId(row.resolution)) for row in connection.execute(query)]

    def _found(self, *conditions: Any) -> list[Resolution]:
        newest = RESOLUTIONS.c.opened_at.desc()
        query = select(RESOLUTIONS).where(*conditions).order_by(newest, RESOLUTIONS.c.resolution)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
            return [self._resolution(row, connection.execute(_votes(row)).all()) for row in rows]

    def _resolution(self, row: Any, votes: Any) -> Resolution:
        opening = Digest(row.opening)
        envelope = self.stated(opening)
        if envelope is None:
            raise InternalError(f"the statement that opened {row.resolution} is gone, or was changed")
        ballots = [Ballot(PersonId(v.person), Choice(v.choice), Digest(v.envelope)) for v in votes]
        return Resolution(
            Tenant(row.tenant),
            opening,
            PersonId(row.opened_by),
            from_millis(row.opened_at),
            parse_opening(envelope.statement),
            {ballot.person: ballot for ballot in ballots},
            None if row.closed_at is None else _closing(row),
        )


def _votes(row: Any) -> Any:
    return (
        select(VOTES).where(VOTES.c.tenant == row.tenant, VOTES.c.resolution == row.resolution).order_by(VOTES.c.person)
    )


def _closing(row: Any) -> Closing:
    return Closing(from_millis(row.closed_at), Outcome(row.outcome), Digest(row.approval))
