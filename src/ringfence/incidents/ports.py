"""Everything that incidents need from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.incidents.model import Event, IncidentId
from ringfence.incidents.terms import Customer, Standing, Threshold
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Statement


class Rows(Protocol):
    """The timelines of incidents: events are appended and never changed."""

    def append(self, tenant: Tenant, incident: IncidentId, event: Event) -> None:
        """Add an event; raise `Conflict` where its position is taken."""
        ...

    def events(self, tenant: Tenant, incident: IncidentId) -> Sequence[Event]:
        """Return the timeline of one incident, in order; nothing where it does not exist."""
        ...

    def all(self, tenant: Tenant, *, limit: int) -> Mapping[IncidentId, Sequence[Event]]:
        """Return the timelines of the newest incidents, newest first."""
        ...

    def unfinished(self, tenant: Tenant) -> Mapping[IncidentId, Sequence[Event]]:
        """Return the timelines of all incidents that are not finished, newest first."""
        ...

    def settle(self, tenant: Tenant, incident: IncidentId, *, finished: bool) -> None:
        """Keep whether an incident is finished: merged, or closed with no clock left that runs."""
        ...


class Organisation(Protocol):
    """What the tenant itself is: its own classification, customers and master data."""

    def standing(self, tenant: Tenant) -> Standing:
        """Return the newest own classification; `undetermined` where there is none."""
        ...

    def customers(self, tenant: Tenant) -> Sequence[Customer]:
        """Return the customers whose contracts ask for a notice."""
        ...

    def profile(self, tenant: Tenant) -> Mapping[str, tuple[str, PersonId]]:
        """Return what a named person entered beforehand, by field of the report, such as `entity`."""
        ...


class Thresholds(Protocol):
    """The criteria of significance, as `thresholds.parse` returns them."""

    def __call__(self) -> Sequence[Threshold]:
        """Return all of them, of every entity type."""
        ...


class Names(Protocol):
    """The register of people."""

    def __call__(self, tenant: Tenant, person: str) -> str:
        """Return a person's name; the id where the name is gone."""
        ...


class Random(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` random bytes."""
        ...


class Notifier(Protocol):
    """Tell people; a failure is the notifier's to record, and never undoes what was decided."""

    def __call__(self, tenant: Tenant, incident: IncidentId, text: str, at: datetime) -> None:
        """Send one message."""
        ...


class Log(Protocol):
    """What the ledger has integrated."""

    def __call__(self, tenant: Tenant, predicates: Sequence[PredicateName]) -> Sequence[Statement]:
        """Return the tenant's statements of these types."""
        ...
