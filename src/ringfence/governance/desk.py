"""What every use case of governance has: the log, the recorder, and who is independent of whom."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from ringfence.governance.signed import Log, Said, counting
from ringfence.kernel import assertion
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder, admit_new
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength
from ringfence.kernel.two_person import MATURITY, Half, TwoPersonAct, check


class Colleagues(Protocol):
    """What two people are to a tenant, and what their signatures are worth."""

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        ...

    def established(self, tenant: Tenant, at: datetime) -> int:
        """Return how many people have a credential that is old enough for an act of two."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Take what people signed; nothing of governance is kept but in the log."""

    log: Log
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    colleagues: Colleagues
    clock: Clock

    def said(self, tenant: Tenant, predicates: Sequence[PredicateName], at: datetime | None = None) -> Iterator[Said]:
        """Return what people have signed of these types, in log order, as the log knew it at a time."""
        return counting(self.log.statements(tenant, predicates, at=at))

    def take(self, by: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a statement of one person."""
        with self.publishable():
            done = self.recorder.admit(envelope, opening, by=by)
        return self.publication.published(done.envelope)

    def take_alone(self, by: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a statement that only a passkey signs."""
        with self.publishable():
            done = admit_new(self.recorder, envelope, opening, by)
            self._with_passkey(self.colleagues.half(by.tenant, by.id, done.envelope))
        return self.publication.published(done.envelope)

    def take_second(
        self, by: Person, envelope: Envelope, opening: Opening | None, first: Said, within: timedelta
    ) -> Acknowledgement:
        """Record what a second person signs, by passkey, about what a first one signed.

        Raises:
            Refused: it is the same person, one enrolled the other, no passkey signed, or it comes too late.
        """
        with self.publishable():
            done = admit_new(self.recorder, envelope, opening, by)
            agreed = self.colleagues.half(by.tenant, by.id, done.envelope)
            self._with_passkey(agreed)
            asked = _aged(self.colleagues.half(by.tenant, first.by, first.envelope), agreed)
            # That it is about the first statement, was looked at: it names its digest.
            act = TwoPersonAct(asked, replace(agreed, subject=asked.subject))
            check(act, established=self.colleagues.established(by.tenant, agreed.at), within=within)
        return self.publication.published(done.envelope)

    @staticmethod
    def _with_passkey(half: Half) -> None:
        if half.algorithm != assertion.ALGORITHM:
            raise Refused(
                "this is signed with a passkey: do it in the console, or in a terminal with RINGFENCE_SIGN_WITH=passkey"
            )


def _aged(asked: Half, agreed: Half) -> Half:
    """Return the first half as mature where the log has known its key for long enough by the time of the second.

    What is asked for here may wait for weeks: others had the time to see the key, and a bad one could be revoked.
    """
    if agreed.at - asked.known_since < MATURITY:
        return asked
    return replace(asked, known_since=min(asked.known_since, asked.at - MATURITY))


def check_same(envelope: Envelope, expected: Draft, opening: Opening | None) -> None:
    """Return where a statement says exactly what a draft of the same facts would; raise `MalformedInput`."""
    statement, details = envelope.statement, dict(opening.details) if opening else {}
    said = (statement.predicate, statement.subjects, dict(statement.claims), details)
    if said != (expected.predicate, expected.subjects, dict(expected.claims), dict(expected.details)):
        raise MalformedInput(f"it is not the {expected.predicate} of what it names", source="envelope")
    if statement.issuance.strength is not Strength.DOCUMENTED:
        raise Refused(f"{expected.predicate} is what a person says: it is documented, no more and no less")
