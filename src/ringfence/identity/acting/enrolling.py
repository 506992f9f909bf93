"""Let a passkey sign: its enrolment as a key of its person, signed by another key of that same person."""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.identity.model import KEY_LIFE
from ringfence.identity.signin.model import Passkey
from ringfence.identity.signin.ports import Passkeys
from ringfence.identity.signin.service import owner_of
from ringfence.kernel import assertion
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

ENROLLED = PredicateName("key.enrolled")
_SKEW = timedelta(minutes=5)


def enrolment(passkey: Passkey, at: datetime) -> Draft:
    """Return what a person signs who lets a passkey of theirs sign."""
    claims = {
        "role": "operator",
        "algorithm": assertion.ALGORITHM,
        "publicKey": base64.b64encode(passkey.public_key).decode(),
        "validFrom": to_text(at),
        "validUntil": to_text(at + KEY_LIFE),
        "custody": "authenticator",
        "person": passkey.owner.person,
        "rpId": passkey.site.rp_id,
        "origin": passkey.site.origin,
        "enrolledBy": passkey.owner.person,
    }
    about = Subject(f"key/{passkey.key[:16]}", Digest.parse(passkey.key))
    return Draft(ENROLLED, (about,), claims, Strength.DOCUMENTED)


@dataclass(frozen=True, slots=True)
class Enrolling:
    """The use case."""

    passkeys: Passkeys
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock

    def own(self, person: Person, passkey: str) -> Passkey:
        """Return a passkey of this very person, by its id."""
        for found in self.passkeys.of(owner_of(person)):
            if found.id == passkey:
                return found
        raise NotFound("you have no such passkey; see Your sign-in")

    def draft(self, person: Person, passkey: str) -> Draft:
        """Return what the person signs with another key, so that this passkey signs from then on."""
        return enrolment(self.own(person, passkey), self.clock.now())

    def enrol(self, person: Person, passkey: str, envelope: Envelope) -> Acknowledgement:
        """Take the enrolment that the person signed; the recorder asks whether that key may.

        Raises:
            Refused: it enrols anything but this passkey, for a year from now.
        """
        found, statement = self.own(person, passkey), envelope.statement
        start = statement.claims.get("validFrom")
        if not isinstance(start, str):
            raise MalformedInput("the enrolment of a passkey says since when it is valid", source="envelope")
        at = from_text(start)
        expected = enrolment(found, at)
        same = (
            statement.predicate == ENROLLED
            and statement.subjects == expected.subjects
            and dict(statement.claims) == dict(expected.claims)
        )
        if not same or abs(self.clock.now() - at) > _SKEW:
            raise Refused("what was signed is not the enrolment of this passkey, from now on; ask for it again")
        with self.publishable():
            done = self.recorder.admit(envelope, None, by=person)
        return self.publication.published(done.envelope)
