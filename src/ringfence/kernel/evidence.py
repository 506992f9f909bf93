"""How a capability states a fact: the recorder's port and the stages of an acknowledgement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft


class Stage(StrEnum):
    """How far a statement has come; each stage includes those before it."""

    JOURNALLED = "journalled"  # durable in the emergency journal only: the database could not take it
    SEQUENCED = "sequenced"  # durable in the caller's transaction
    INTEGRATED = "integrated"  # it has an index in the tree
    PUBLISHED = "published"  # a signed checkpoint that covers it has been published
    WITNESSED = "witnessed"  # somebody else's key has cosigned such a checkpoint


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the caller may rely on about one statement."""

    envelope: Digest
    sequence: int
    stage: Stage
    entry: int | None = None  # index in the log, once integrated

    def to_json(self) -> dict[str, object]:
        """Return the form in which every front end shows it."""
        return {
            "envelope": str(self.envelope),
            "sequence": self.sequence,
            "stage": self.stage.value,
            "entry": self.entry,
        }


TRUSTED = "trusted"  # how the ledger calls the standing of a statement whose key counted


class Logged(Protocol):
    """A statement in the log, as far as pages read it."""

    @property
    def entry(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def envelope(self) -> Envelope: ...
    @property
    def opening(self) -> Opening | None: ...


class Log(Protocol):
    """What pages read of the ledger."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[Logged]:
        """Return a tenant's statements in log order."""
        ...


class Recorder(Protocol):
    """Record statements inside the transaction that is open now."""

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Sign `draft` with the control plane's key and sequence it."""
        ...

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:
        """Sequence a statement that the person `by` signed, after checking key, tenant, log, time and sequence.

        `opening` is the side record whose commitment the statement carries. A statement with an idempotency key
        that its issuer used before is not sequenced again: the first one's acknowledgement is returned.

        Raises:
            VerificationFailed: the signature or the opening does not match.
            Refused: the key is unknown, expired, revoked, or another person's; or the tenant is another.
            Conflict: its place in the issuer's sequence is taken.
        """
        ...


def admit_new(recorder: Recorder, envelope: Envelope, opening: Opening | None, by: Person) -> Acknowledgement:
    """Admit a statement that was not admitted before; raise `Refused` where it repeats one."""
    done = recorder.admit(envelope, opening, by=by)
    if done.envelope != envelope.digest:
        raise Refused("this statement repeats one that was recorded before; sign it anew")
    return done


class EmergencyRecorder(Protocol):
    """Record what containment did, without depending on the database."""

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Sign with the emergency key, journal durably, and sequence it now if the database can take it."""
        ...


class Publication(Protocol):
    """Wait for what was recorded to be published."""

    def published(self, envelope: Digest) -> Acknowledgement:
        """Return once a published checkpoint covers the statement; raise `Unavailable` where none comes in time."""
        ...
