"""Everything that resolutions need from the outside world."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringfence.governance.resolutions.model import Closing, Head, MeasureSet, Member, Resolution, ResolutionId
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.two_person import Half
from ringfence.kernel.voting import Ballot


class Resolutions(Protocol):
    """Which resolutions there are, and which votes stand: the log integrates a vote only after it was taken."""

    def hold(self, tenant: Tenant, resolution: ResolutionId) -> None:
        """Wait until nobody else changes this resolution; until the end of the transaction."""
        ...

    def add(self, resolution: Resolution) -> None: ...
    def all(self, tenant: Tenant) -> list[Resolution]: ...
    def by_id(self, tenant: Tenant, resolution: ResolutionId) -> Resolution | None: ...

    def vote(self, resolution: Resolution, ballot: Ballot) -> None:
        """Let a ballot stand in the place of the member's one before."""
        ...

    def close(self, resolution: Resolution, closing: Closing) -> None: ...
    def tenants(self) -> list[Tenant]:
        """Return the tenants of which a body has approved something."""
        ...

    def overdue(self, now: datetime) -> list[tuple[Tenant, ResolutionId]]:
        """Return what is open past its end, of every tenant."""
        ...


class Body(Protocol):
    """The management body, as this installation knows it."""

    def members(self, tenant: Tenant) -> Mapping[PersonId, Member]:
        """Return everybody of the role management who is here now."""
        ...

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        ...


class Matters(Protocol):
    """What is in force, and what happened."""

    def measures(self, tenant: Tenant) -> MeasureSet:
        """Return rules, overrides and policies in force now."""
        ...

    def significant_incidents(self, tenant: Tenant, since: datetime | None) -> int:
        """Count the incidents that somebody found significant since a time."""
        ...


class Controls(Protocol):
    """What a control asks; raise `NotFound` where there is none such."""

    def __call__(self, tenant: Tenant, control: str) -> Mapping[str, Any]:
        """Return `title`, `requirement` and `state` now."""
        ...


class Stated(Protocol):
    """What the log holds."""

    def head(self) -> Head:
        """Return the newest published head."""
        ...

    def is_head(self, head: Head) -> bool:
        """Tell whether this was published as a head of the log."""
        ...

    def measured(self, tenant: Tenant) -> Mapping[str, Any]:
        """Return the claims of the newest statement of the measures in force; empty where there is none."""
        ...

    def envelope(self, digest: Digest) -> Envelope | None:
        """Return a statement, integrated or not."""
        ...

    def digests(self, tenant: Tenant, entries: Sequence[int]) -> list[Digest]:
        """Return the statements of a tenant at these entries; raise `NotFound` where one is not there."""
        ...

    def entries(self, tenant: Tenant, digests: Iterable[Digest]) -> Mapping[Digest, int]:
        """Return where statements stand in the log, those that have a place."""
        ...

    def details(self, tenant: Tenant, digests: Iterable[Digest]) -> Mapping[Digest, Mapping[str, Any]]:
        """Return the side records of statements that are there still."""
        ...
