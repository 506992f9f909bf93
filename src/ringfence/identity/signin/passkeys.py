"""Enrol, use and remove passkeys: a question, the browser's answer to it, and what is stated about it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ringfence.identity.register import key_revoked
from ringfence.identity.service import hashed
from ringfence.identity.signin import ceremony, statements
from ringfence.identity.signin.ceremony import Answer
from ringfence.identity.signin.counting import Counting
from ringfence.identity.signin.model import CEREMONY_LIFE, MAX_PASSKEYS, Ceremony, Kind, Owner, Passkey, Site
from ringfence.identity.signin.ports import Ceremonies, Passkeys, Randomness, Register
from ringfence.kernel.actor import Level
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, Refused, Unauthenticated, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import KeyId, PersonId, Tenant

_TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_WRONG = "this passkey does not open anything here"


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a browser sent for a new passkey, and what the person calls it."""

    credential: dict[str, Any]
    transports: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyDesk:
    """The use cases of passkeys."""

    passkeys: Passkeys
    ceremonies: Ceremonies
    register: Register
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Randomness
    signs: Callable[[Tenant, KeyId], bool] = lambda _tenant, _key: False  # whether a key signs acts

    def ask_to_enrol(self, owner: Owner, *, browser: str, site: Site) -> dict[str, Any]:
        """Return the question that makes a new passkey; `browser` is the secret of the session that asks."""
        known = self.passkeys.of(owner)
        _check_room(known)
        record = self.register.active(owner)
        if record is None:
            raise Unauthenticated("the access of this person has ended")
        message = self._asked(Kind.ENROL, browser)
        return ceremony.enrolment_options(site, owner, name=record.name, message=message, known=known)

    def enrol(self, owner: Owner, new: NewPasskey, *, browser: str, site: Site, basis: Level) -> Acknowledgement:
        """Keep a new passkey of a person who was recognised as `basis` says, and state it."""
        message = self._taken(Kind.ENROL, browser)
        made = ceremony.verify_enrolment(new.credential, message=message, site=site)
        passkey = Passkey(
            credential=made.credential,
            owner=owner,
            public_key=made.public_key,
            site=site,
            sign_count=made.sign_count,
            name=new.name,
            transports=tuple(sorted(_TRANSPORTS.intersection(new.transports))),
            backed_up=made.backed_up,
            enrolled_at=self.clock.now(),
            enrolled_by=owner.person,
        )
        with self.publishable():
            known = self.passkeys.of(owner)
            _check_room(known)  # again: others were asked meanwhile
            self.passkeys.add(passkey)
            draft = statements.passkey_enrolled(passkey, basis=basis, passkeys=len(known) + 1)
            acknowledgement = self.recorder.record(draft, tenant=owner.tenant)
        return self.publication.published(acknowledgement.envelope)

    def ask_to_sign_in(self, *, browser: str, site: Site) -> dict[str, Any]:
        """Return the question to whoever is there: it names nobody, the passkey does."""
        return ceremony.assertion_options(site, message=self._asked(Kind.SIGN_IN, browser), known=[])

    def sign_in(self, answer: Answer, *, browser: str, site: Site) -> Owner:
        """Return whose passkey answered; raise `Unauthenticated` for everything else, in one sentence for all."""
        message = self._taken(Kind.SIGN_IN, browser)
        passkey = self.passkeys.by_credential(answer.credential)
        if passkey is None or answer.user_handle is None or self.register.active(passkey.owner) is None:
            raise Unauthenticated(_WRONG)
        return self._used(passkey, answer, message, site)

    def ask_to_confirm(self, owner: Owner, *, browser: str, site: Site) -> dict[str, Any]:
        """Return the question that confirms dangerous acts."""
        known = self.passkeys.of(owner)
        if not known:
            raise Refused("you have no passkey yet; enrol one under Your sign-in")
        return ceremony.assertion_options(site, message=self._asked(Kind.CONFIRM, browser), known=known)

    def confirm(self, owner: Owner, answer: Answer, *, browser: str, site: Site) -> None:
        """Return where a passkey of this person answered."""
        message = self._taken(Kind.CONFIRM, browser)
        passkey = self.passkeys.by_credential(answer.credential)
        if passkey is None or passkey.owner != owner:
            raise Unauthenticated(_WRONG)
        self._used(passkey, answer, message, site)

    def remove(self, owner: Owner, passkey: str, *, recoverable: bool) -> Acknowledgement:
        """Forget one of a person's passkeys, and state it; the last one only where there is another way in."""
        known = self.passkeys.of(owner)
        found = next((each for each in known if each.id == passkey), None)
        if found is None:
            raise NotFound("you have no such passkey; it may be removed already")
        if len(known) == 1 and not recoverable:
            raise Refused("this is your last passkey; take recovery codes first, or enrol another one")
        with self.publishable():
            acknowledgement = self._forget(found, by=owner.person, reason="removed", left=len(known) - 1)
        return self.publication.published(acknowledgement.envelope)

    def remove_all(self, owner: Owner, *, by: PersonId) -> int:
        """Forget every passkey of a person, in the open transaction; return how many those were."""
        known = self.passkeys.of(owner)
        for left, passkey in zip(range(len(known) - 1, -1, -1), known, strict=True):
            self._forget(passkey, by=by, reason="reset", left=left)
        return len(known)

    def _forget(self, passkey: Passkey, *, by: PersonId, reason: str, left: int) -> Acknowledgement:
        self.passkeys.drop(passkey)
        if self.signs(passkey.owner.tenant, passkey.key):
            revoked = key_revoked(passkey.key, reason=reason, at=self.clock.now())
            self.recorder.record(revoked, tenant=passkey.owner.tenant)
        draft = statements.passkey_removed(passkey, by=by, reason=reason, passkeys=left)
        return self.recorder.record(draft, tenant=passkey.owner.tenant)

    def _asked(self, kind: Kind, browser: str) -> bytes:
        now = self.clock.now()
        message = ceremony.message_of(kind, self.random(32))
        with self.transaction():
            self.ceremonies.put(Ceremony(kind, hashed(browser), message, now + CEREMONY_LIFE), now=now)
        return message

    def _taken(self, kind: Kind, browser: str) -> bytes:
        """Take the question back before the answer is looked at: a wrong answer uses it up too."""
        with self.transaction():
            found = self.ceremonies.take(kind, hashed(browser)) if browser else None
        if found is None or found.until <= self.clock.now():
            raise Unauthenticated("this browser was not asked, was asked too long ago, or has answered; begin again")
        return found.message

    def _used(self, passkey: Passkey, answer: Answer, message: bytes, site: Site) -> Owner:
        try:
            self.counting(passkey, ceremony.verify_assertion(answer, passkey, message=message, site=site))
        except VerificationFailed as error:
            raise Unauthenticated(_WRONG) from error
        return passkey.owner

    @property
    def counting(self) -> Counting:
        """Return what keeps the counters of passkeys."""
        return Counting(self.passkeys, self.recorder, self.transaction, self.publishable, self.clock)


def _check_room(known: Sequence[Passkey]) -> None:
    if len(known) >= MAX_PASSKEYS:
        raise Refused(f"nobody has more than {MAX_PASSKEYS} passkeys; remove one first")
