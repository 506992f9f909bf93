"""Where every change of an incident passes: its row and the statement that says it, in one transaction."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from ringfence.incidents import room, timeline
from ringfence.incidents.model import Event, Incident, IncidentId
from ringfence.incidents.ports import Random, Rows
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.evidence import Acknowledgement, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft

SALT_SIZE = 16
Stated = Callable[[int, Digest], Draft]  # the statement about the event at a position, with the chain's end


@dataclass(frozen=True, slots=True)
class Desk:
    """Read incidents, and append to their timelines."""

    transaction: Callable[[], AbstractContextManager[None]]
    rows: Rows
    recorder: Recorder
    clock: Clock
    random: Random

    def incident(self, tenant: Tenant, name: IncidentId) -> Incident:
        """Return one incident of the tenant, or raise `NotFound`."""
        events = self.rows.events(tenant, name)
        if not events:
            raise NotFound(f"no incident {name} is known in this tenant; see `ringfence incident list`")
        return room.fold(name, events)

    def newest(self, tenant: Tenant, limit: int) -> list[Incident]:
        """Return the newest incidents."""
        return [room.fold(name, events) for name, events in self.rows.all(tenant, limit=limit).items()]

    def unfinished(self, tenant: Tenant) -> list[Incident]:
        """Return every incident that somebody may still have to act for, closed ones among them, newest first."""
        return [room.fold(name, events) for name, events in self.rows.unfinished(tenant).items()]

    def open_ones(self, tenant: Tenant) -> list[Incident]:
        """Return every incident that is neither closed nor merged, newest first."""
        return [incident for incident in self.unfinished(tenant) if incident.closing is None]

    def new_id(self) -> IncidentId:
        """Draw the id of a new incident."""
        return IncidentId(f"i-{self.random(4).hex()}")

    def observed(
        self, tenant: Tenant, name: IncidentId, before: Incident | None, kind: str, body: Mapping[str, Any], say: Stated
    ) -> Incident:
        """Append what the control plane saw, and record the statement that says it."""
        event = self._event(before, kind, body, by="")
        end = timeline.link(before.head if before else timeline.START, event)
        done = self.recorder.record(say(event.position, end), tenant=tenant)
        return self._append(tenant, name, before, replace(event, envelope=str(done.envelope)))

    def signed(
        self,
        caller: Person,
        name: IncidentId,
        before: Incident | None,
        kind: str,
        body: Mapping[str, Any],
        done: Acknowledgement,
    ) -> Incident:
        """Append what a person signed; the statement is recorded already."""
        event = self._event(before, kind, body, by=caller.id)
        return self._append(caller.tenant, name, before, replace(event, envelope=str(done.envelope)))

    def _event(self, before: Incident | None, kind: str, body: Mapping[str, Any], *, by: str) -> Event:
        position = len(before.timeline) + 1 if before else 1
        at = from_text(to_text(self.clock.now()))  # milliseconds, as the row keeps them
        return Event(position, kind, at, by, body, self.random(SALT_SIZE))

    def _append(self, tenant: Tenant, name: IncidentId, before: Incident | None, event: Event) -> Incident:
        self.rows.append(tenant, name, event)
        after = room.step(name, before, event)
        if before is not None:
            self.rows.settle(tenant, name, finished=after.merged_into is not None)
        return after


def is_recorded(incident: Incident | None, done: Acknowledgement) -> bool:
    """Tell whether a timeline holds a statement already: it was posted twice."""
    entries: Iterable[Any] = incident.timeline if incident else ()
    return any(entry.envelope == str(done.envelope) for entry in entries)
