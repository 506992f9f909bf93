"""Timelines of incidents in the database: one row per event, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, Text, insert, select, update

from ringfence.incidents.model import Event, IncidentId
from ringfence.kernel import digest
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import METADATA, Database

INCIDENTS = Table(
    "incidents_incidents",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("incident", String(16), primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
)
EVENTS = Table(
    "incidents_events",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("incident", String(16), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(32), nullable=False),  # a person's id; empty: the control plane
    Column("body", Text, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("envelope", String(80), nullable=False),  # digest of the statement that says it
)


@dataclass(frozen=True, slots=True)
class IncidentTable:
    """`Rows` in the database."""

    database: Database

    def append(self, tenant: Tenant, incident: IncidentId, event: Event) -> None:
        """Add an event, and the incident with its first."""
        key = {"tenant": tenant, "incident": incident}
        row = {
            "position": event.position,
            "kind": event.kind,
            "at": to_millis(event.at),
            "by": event.by,
            "body": digest.dumps(dict(event.body)).decode(),
            "salt": event.salt,
            "envelope": event.envelope,
        }
        taken = f"somebody else acted on {incident} at the same time; look at it again"
        with self.database.attempting(taken) as connection:
            if event.position == 1:
                opened = {"opened_at": to_millis(event.at), "finished": False}
                connection.execute(insert(INCIDENTS), [{**key, **opened}])
            connection.execute(insert(EVENTS), [{**key, **row}])

    def events(self, tenant: Tenant, incident: IncidentId) -> Sequence[Event]:
        """Return the timeline of one incident."""
        query = select(EVENTS).where(EVENTS.c.tenant == tenant, EVENTS.c.incident == incident)
        with self.database.reading() as connection:
            return [_event(row) for row in connection.execute(query.order_by(EVENTS.c.position))]

    def all(self, tenant: Tenant, *, limit: int) -> Mapping[IncidentId, Sequence[Event]]:
        """Return the timelines of the newest incidents, newest first."""
        return self._timelines(tenant, INCIDENTS.c.tenant == tenant, limit=limit)

    def unfinished(self, tenant: Tenant) -> Mapping[IncidentId, Sequence[Event]]:
        """Return the timelines of all incidents that are not finished, newest first."""
        return self._timelines(tenant, INCIDENTS.c.tenant == tenant, INCIDENTS.c.finished.is_(False))

    def settle(self, tenant: Tenant, incident: IncidentId, *, finished: bool) -> None:
        """Keep whether an incident is finished."""
        change = update(INCIDENTS).where(INCIDENTS.c.tenant == tenant, INCIDENTS.c.incident == incident)
        self.database.connection().execute(change.values(finished=finished))

    def _timelines(
        self, tenant: Tenant, *conditions: Any, limit: int | None = None
    ) -> dict[IncidentId, Sequence[Event]]:
        named = select(INCIDENTS.c.incident).where(*conditions)
        named = named.order_by(INCIDENTS.c.opened_at.desc(), INCIDENTS.c.incident).limit(limit)
        with self.database.reading() as connection:
            wanted = [IncidentId(name) for name in connection.execute(named).scalars()]
            query = select(EVENTS).where(EVENTS.c.tenant == tenant, EVENTS.c.incident.in_(named))
            found: dict[IncidentId, list[Event]] = {name: [] for name in wanted}
            for row in connection.execute(query.order_by(EVENTS.c.incident, EVENTS.c.position)):
                found[IncidentId(row.incident)].append(_event(row))
        return dict(found)


def _event(row: Any) -> Event:
    body = digest.loads(row.body, source=f"timeline of {row.incident}")
    return Event(row.position, row.kind, from_millis(row.at), row.by, body, row.salt, row.envelope)
