"""Take the gateway's closed segments into the log, one after the other, and write down where the log has them.

What does not fit is refused and shown; what comes behind it waits, because a log takes a source's statements in their
order. Nothing is ever signed here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ringfence.gateway.ports import Segments
from ringfence.gateway.segment import Closing, follows, read
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import RingfenceError, Unavailable, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant

AT_ONCE = 100  # segments of a tenant per turn
LOOK_EVERY = timedelta(seconds=10)  # between two looks for a gap: each lists a whole folder
PATIENCE = timedelta(seconds=60)  # with a log that is away; what does not fit is said at once


@dataclass(slots=True)
class Progress:
    """How far a tenant's segments have come."""

    proven: int = 0  # all up to here have their place in the log written down
    admitted: int = 0
    before: Closing | None = None  # the newest one admitted
    waiting: dict[int, Digest] = field(default_factory=dict)  # admitted, their place not written down yet
    refused: str = ""  # why the next one is not taken
    refused_since: datetime | None = None
    away: bool = False  # it is not the segment's fault: something else is not there
    looked_at: datetime | None = None  # for a gap
    begun: bool = False  # what was proven before we started is known

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the API shows it."""
        return {"admitted": self.admitted, "proven": self.proven, "refused": self.refused}

    def stuck_since(self, now: datetime) -> datetime | None:
        """Return since when segments are not taken, where a person has to look at that; None where none has to."""
        since = self.refused_since
        return None if since is None or (self.away and since <= now < since + PATIENCE) else since


@dataclass(frozen=True, slots=True)
class Intake:
    """Use case: everything that happens to a segment between the gateway's disk and a receipt."""

    segments: Segments
    admit: Callable[[Envelope], Acknowledgement]  # checks the key, its role, and the place in its sequence
    prove: Callable[[Tenant, Digest], bytes]  # waits until it is published
    clock: Clock
    progress: dict[Tenant, Progress] = field(default_factory=dict)

    def __call__(self) -> None:
        """Take one turn over all tenants.

        Raises:
            VerificationFailed: something of one tenant was refused; the others were served. The same refusal is raised
                once, and shown for as long as it lasts.
        """
        refused = []
        for tenant in self.segments.tenants():
            try:
                self._serve(tenant)
            except RingfenceError as error:
                if self._note(tenant, error):
                    refused.append(f"{tenant}: {error}")
        if refused:
            raise VerificationFailed("segments of the gateway are not taken: " + "; ".join(refused))

    def _note(self, tenant: Tenant, error: RingfenceError) -> bool:
        """Keep why a tenant's next segment is not taken; return whether that is news."""
        progress, refused = self.progress[tenant], str(error)
        news, progress.refused = progress.refused != refused, refused
        progress.refused_since = progress.refused_since or self.clock.now()
        progress.away = isinstance(error, Unavailable)
        return news

    def _serve(self, tenant: Tenant) -> None:
        progress = self.progress.setdefault(tenant, Progress())
        if not progress.begun:
            self._begin(tenant, progress)
        try:
            self._admit(tenant, progress)
        finally:  # what was taken before the refused one has its receipts all the same
            self._prove(tenant, progress)
        progress.refused, progress.refused_since = "", None

    def _begin(self, tenant: Tenant, progress: Progress) -> None:
        done = self.segments.last_proof(tenant)
        progress.before = read(self.segments.envelope(tenant, done).statement) if done else None
        progress.proven, progress.admitted, progress.begun = done, done, True

    def _admit(self, tenant: Tenant, progress: Progress) -> None:
        for _ in range(AT_ONCE):
            number = progress.admitted + 1
            if not self.segments.is_closed(tenant, number):
                self._check_gap(tenant, number, progress)
                return
            envelope = self.segments.envelope(tenant, number)
            if envelope.statement.issuance.tenant != tenant:
                raise VerificationFailed(f"segment {number} of {tenant} is signed for another tenant")
            closing = follows(progress.before, read(envelope.statement))
            taken = self.admit(envelope).envelope
            if taken != envelope.digest:
                raise VerificationFailed(f"the log has another closing of segment {number}: two were signed")
            progress.waiting[number] = taken
            progress.admitted, progress.before = number, closing

    def _check_gap(self, tenant: Tenant, number: int, progress: Progress) -> None:
        """Return where the gateway has not closed a segment yet; raise where it is missing: they close in order."""
        now = self.clock.now()
        if (
            progress.refused
            or progress.looked_at is None
            or not progress.looked_at <= now < progress.looked_at + LOOK_EVERY
        ):
            newest, progress.looked_at = self.segments.last(tenant), now
            if newest > number and not self.segments.is_closed(tenant, number):
                raise VerificationFailed(
                    f"segment {number} of {tenant} is missing, and segment {newest} is there: a gap"
                )

    def _prove(self, tenant: Tenant, progress: Progress) -> None:
        for number, envelope in sorted(progress.waiting.items()):
            self.segments.write_proof(tenant, number, self.prove(tenant, envelope))
            del progress.waiting[number]
            progress.proven = number
