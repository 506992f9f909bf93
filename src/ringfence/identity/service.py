"""Who is asking, may they, and what is stated about it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.identity.model import LINK_LIFE, Factors, PersonRecord, check_name
from ringfence.identity.policy import Policies
from ringfence.identity.ports import CustodyReport, Enrolments, People, Revocations
from ringfence.identity.register import access_register, key_lifecycle, key_revoked
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    Refused,
    Unauthenticated,
    Unavailable,
    VerificationFailed,
)
from ringfence.kernel.evidence import Acknowledgement, EmergencyRecorder, Publication, Recorder, Stage
from ringfence.kernel.identifier import KeyId, PersonId, Tenant, key_id, person_id

_LINK = "link"
_CUT_OFF = "access-ended"  # why a key is revoked where the removal that would say so was cut off


def hashed(secret: str) -> bytes:
    """Return what is kept of a secret: it is 32 random bytes, so that a plain hash cannot be guessed back."""
    return Digest.of(secret.encode()).value


@dataclass(frozen=True, slots=True)
class Identity:
    """The use cases of people: recognise, enrol and remove them, and state who has access."""

    people: People
    policies: Policies
    revocations: Revocations
    enrolments: Enrolments
    custody: CustodyReport
    recorder: Recorder
    emergency: EmergencyRecorder
    publication: Publication
    append_enrolment: Callable[[Envelope, Opening | None], Acknowledgement]
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    token: Callable[[], str]
    services: Callable[[Tenant], int] = lambda _: 0  # programs with access
    factors: Callable[[Tenant], Factors] = lambda _: Factors()
    keys_of: Callable[[Tenant, PersonId], Sequence[KeyId]] = lambda _tenant, _person: ()  # those not revoked yet

    def authenticate(self, *, token: str = "") -> Person:
        """Return the person behind a token; raise `Unauthenticated`."""
        if not token:
            raise Unauthenticated("say who you are: send a token, or sign in to the console")
        record = self.people.by_token(hashed(token))
        if record is None or record.removed_at is not None or record.id in self.revocations:
            raise Unauthenticated("this token is not known here, or has ended")
        return record.actor

    def authorise(self, person: Person, action: str) -> None:
        """Return where the policies permit `action` in the person's own tenant; raise `Refused`."""
        self.policies.authorise(person, action, tenant=person.tenant)

    def issue_link(self, person: Person) -> str:
        """Return the secret of a link that opens one session, once, within ten minutes."""
        secret = self.token()
        now = self.clock.now()
        with self.transaction():
            self.people.forget_passes(now)
            self.people.add_pass(_LINK, hashed(secret), self._record(person), now + LINK_LIFE)
        return secret

    def redeem(self, secret: str) -> Person:
        """Use up a one-time link; return whom it lets in."""
        now = self.clock.now()
        with self.transaction():
            record = self.people.by_pass(_LINK, hashed(secret), now)
            if record is None or not self.people.drop_pass(_LINK, hashed(secret)):
                raise Unauthenticated("this link was used already or has ended; ask for one with `ringfence user link`")
        return record.actor

    def register(self, tenant: Tenant) -> list[PersonRecord]:
        """Return everybody of a tenant, removed people included."""
        return self.people.all(tenant)

    def enrol(
        self, envelope: Envelope, opening: Opening | None, *, name: str, role: Role, token_hash: bytes
    ) -> Acknowledgement:
        """Add a person whom the root enrolled: register row and statement in one transaction."""
        self.enrolments.check_enrolment(envelope)
        issuance = envelope.statement.issuance
        person, key = enrolled(envelope)
        _check_details(opening, name, role)
        with self.transaction():
            if self.people.by_id(issuance.tenant, person) is not None:
                raise Conflict(f"{person} is enrolled already")
            record = PersonRecord(person, issuance.tenant, role, name, key, token_hash, self.clock.now())
            self.people.add(record)
            acknowledgement = self.append_enrolment(envelope, opening)
        return self.publication.published(acknowledgement.envelope)

    def remove(self, person: PersonId, *, by: Person, left_at: datetime | None, reason: str) -> Acknowledgement:
        """End a person's access, now.

        Containment acts first and is journalled; the register follows as soon as the database can take it.
        """
        record = self.people.by_id(by.tenant, person)
        if record is None:
            raise NotFound(f"nobody here is called {person}; see `ringfence user list`")
        if record.id == by.id:
            raise Refused("nobody removes themselves; ask another owner")
        now = self.clock.now()
        self.revocations.revoke(person)
        acknowledgement = self.emergency.record(key_revoked(record.key, reason=reason, at=now), tenant=by.tenant)
        self._revoke_others(record, reason, now)
        with suppress(Unavailable):
            with self.transaction():
                self.people.replace(_ended(record, now, left_at))
            if acknowledgement.stage is not Stage.JOURNALLED:  # else it waits for the database or for its signature
                return self.publication.published(acknowledgement.envelope)
        return acknowledgement

    def _revoke_others(self, record: PersonRecord, reason: str, now: datetime) -> None:
        """Revoke the passkeys that sign, too; where the log cannot be read, access has ended all the same."""
        with suppress(Unavailable):
            for key in self.keys_of(record.tenant, record.id):
                if key != record.key:
                    self.emergency.record(key_revoked(key, reason=reason, at=now), tenant=record.tenant)

    def settle(self, tenant: Tenant) -> None:
        """Finish removals that were cut off, or that the database could not take: revoke the keys, end the access."""
        for record in self.people.all(tenant):
            if record.removed_at is None and record.id in self.revocations:
                now = self.clock.now()
                with self.transaction():
                    for key in self.keys_of(tenant, record.id):
                        self.recorder.record(key_revoked(key, reason=_CUT_OFF, at=now), tenant=tenant)
                    self.people.replace(_ended(record, now, None))

    def record_register(self, tenant: Tenant) -> Acknowledgement:
        """State the register of access as it stands."""
        with self.transaction():
            people, now = self.people.all(tenant), self.clock.now()
            services, factors = self.services(tenant), self.factors(tenant)
            draft = access_register(tenant, people, self.policies.digest, now, services=services, factors=factors)
            return self.recorder.record(draft, tenant=tenant)

    def record_keys(self, tenant: Tenant) -> Acknowledgement:
        """State where the keys lie."""
        custody = self.custody()
        with self.transaction():
            return self.recorder.record(key_lifecycle(tenant, custody, self.clock.now()), tenant=tenant)

    def _record(self, person: Person) -> PersonRecord:
        record = self.people.by_id(person.tenant, person.id)
        if record is None:
            raise NotFound(f"nobody here is called {person.id}")
        return record


def _ended(record: PersonRecord, now: datetime, left_at: datetime | None) -> PersonRecord:
    # A removal that is repeated never moves the first one: it would hide that the first came late.
    return replace(record, removed_at=record.removed_at or now, left_at=left_at or record.left_at or now)


def _check_details(opening: Opening | None, name: str, role: Role) -> None:
    check_name(name)
    if opening is None or opening.details != {"name": name, "role": role.value}:
        raise VerificationFailed("name and role are not those that the root signed; send the side record unchanged")


def enrolled(envelope: Envelope) -> tuple[PersonId, KeyId]:
    """Return whom the root enrols, and with which key; raise `MalformedInput` where it enrols no person."""
    match envelope.statement.claims:
        case {"role": "operator", "person": str() as person}:
            return person_id(person), key_id(envelope.statement.subjects[0].digest.hex)
        case _:
            raise MalformedInput("the enrolment of a person names the role operator and the person")
