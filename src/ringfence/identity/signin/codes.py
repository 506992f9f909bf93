"""The second way in, a passphrase with a code of an app; and the last one, recovery codes.

Whoever is not known costs as much work as whoever is, and gets the same answer.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property

from ringfence.identity.signin import statements, totp
from ringfence.identity.signin.guard import Guard
from ringfence.identity.signin.model import RECOVERY_CODES, Owner, RecoveryCode, Totp
from ringfence.identity.signin.ports import Codes, Hasher, Randomness, Register, Sessions, Vault
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unauthenticated
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PersonId, person_id

_WRONG = "this does not open anything here: check the person id, the passphrase and the code"
_CODE_SIZE = 10  # bytes of a recovery code
_WRITTEN = 16  # letters and digits of it, after its number


@dataclass(frozen=True)
class CodeDesk:
    """The use cases of codes."""

    codes: Codes
    sessions: Sessions
    register: Register
    guard: Guard
    hasher: Hasher
    vault: Vault
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Randomness

    @cached_property
    def _nobody(self) -> str:
        """A hash that nothing matches, for whoever is not known."""
        return self.hasher.hash(self.random(32).hex())

    def begin_totp(self, owner: Owner, passphrase: str) -> bytes:
        """Keep a new secret of an app beside a passphrase; neither counts before a code confirms them."""
        if not totp.MIN_PASSPHRASE <= len(passphrase) <= totp.MAX_PASSPHRASE:
            raise MalformedInput(
                f"a passphrase has {totp.MIN_PASSPHRASE} to {totp.MAX_PASSPHRASE} characters", source="passphrase"
            )
        known = self.codes.totp(owner)
        if known is not None and known.confirmed_at is not None:
            raise Refused("you have an authenticator app already; remove it first")
        secret = self.random(totp.SECRET_SIZE)
        kept = Totp(owner, self.vault.seal(_context(owner), secret), self.hasher.hash(passphrase), 0, None)
        with self.transaction():
            self.codes.put_totp(kept)
        return secret

    def confirm_totp(self, owner: Owner, code: str) -> Acknowledgement:
        """Let the app count from now on: its code is right."""
        known = self.codes.totp(owner)
        if known is None or known.confirmed_at is not None:
            raise NotFound("there is no authenticator app of yours that waits for its first code; begin again")
        self.guard.enter(person=f"totp {owner.person}")
        now = self.clock.now()
        counter = totp.matching_counter(self.vault.unseal(_context(owner), known.sealed), code, now)
        if counter is None:
            raise Refused("this is not the code that the app shows now; check the clock of the device")
        self.guard.right(person=f"totp {owner.person}")
        with self.publishable():
            self.codes.put_totp(replace(known, last_counter=counter, confirmed_at=now))
            acknowledgement = self.recorder.record(statements.totp_enrolled(owner), tenant=owner.tenant)
        return self.publication.published(acknowledgement.envelope)

    def sign_in(self, person: str, passphrase: str, code: str, *, place: str) -> Owner:
        """Return who signed in by passphrase and code; raise `Unauthenticated` in one sentence for all else."""
        self.guard.enter(person=person, place=place)
        owner = self._owner(person)
        known = self.codes.totp(owner) if owner else None
        usable = known is not None and known.confirmed_at is not None
        kept, sealed = self._kept(known if usable else None)
        right = self.hasher.matches(kept, passphrase)
        counter = totp.matching_counter(sealed, code, self.clock.now())
        if owner is None or not usable or not right or counter is None or self.register.active(owner) is None:
            raise Unauthenticated(_WRONG)
        with self.transaction():
            if not self.codes.advance_totp(owner, counter=counter):
                raise Unauthenticated(_WRONG)
        self.guard.right(person=person, place=place)
        return owner

    def _owner(self, person: str) -> Owner | None:
        try:
            return self.codes.owner(person_id(person))
        except MalformedInput:
            return None

    def _kept(self, known: Totp | None) -> tuple[str, bytes]:
        if known is None:
            return self._nobody, self.random(totp.SECRET_SIZE)
        return known.passphrase_hash, self.vault.unseal(_context(known.owner), known.sealed)

    def remove_totp(self, owner: Owner) -> Acknowledgement:
        """Forget the app and the passphrase of a person, and state it."""
        with self.publishable():
            if not self.codes.drop_totp(owner):
                raise NotFound("you have no authenticator app")
            draft = statements.totp_removed(owner, by=owner.person)
            acknowledgement = self.recorder.record(draft, tenant=owner.tenant)
        return self.publication.published(acknowledgement.envelope)

    def issue_recovery(self, owner: Owner) -> list[str]:
        """Return ten new recovery codes, once; the old ones are void."""
        written = [_written(number, self.random(_CODE_SIZE)) for number in range(1, RECOVERY_CODES + 1)]
        kept = [
            RecoveryCode(owner, number, self.hasher.hash(_plain(code))) for number, code in enumerate(written, start=1)
        ]
        with self.publishable():
            self.codes.put_recovery(owner, kept)
            draft = statements.recovery_issued(owner, codes=len(kept))
            acknowledgement = self.recorder.record(draft, tenant=owner.tenant)
        self.publication.published(acknowledgement.envelope)
        return written

    def recover(self, person: str, code: str, *, place: str) -> Owner:
        """Return whose recovery code it is, use it up, end every session, and state it.

        Counted by place only: nobody guesses 80 random bits, and nobody's last way in is closed by strangers.
        """
        self.guard.enter(place=place)
        owner = self._owner(person)
        left = self.codes.recovery(owner) if owner else []
        number = _plain(code)[:-_WRITTEN]
        meant = next((each for each in left if str(each.number) == number), None)
        right = self.hasher.matches(meant.code_hash if meant else self._nobody, _plain(code))
        if owner is None or meant is None or not right or self.register.active(owner) is None:
            raise Unauthenticated(_WRONG)
        with self.publishable():
            if not self.codes.drop_recovery(owner, meant.number):
                raise Unauthenticated(_WRONG)
            self.sessions.drop_all(owner)
            draft = statements.recovery_used(owner, left=len(left) - 1)
            acknowledgement = self.recorder.record(draft, tenant=owner.tenant)
        self.guard.right(place=place)
        self.publication.published(acknowledgement.envelope)
        return owner

    def forget_all(self, owner: Owner, *, by: PersonId) -> None:
        """Forget every code of a person, in the open transaction."""
        self.codes.put_recovery(owner, [])
        if self.codes.drop_totp(owner):
            self.recorder.record(statements.totp_removed(owner, by=by), tenant=owner.tenant)


def _context(owner: Owner) -> str:
    return f"totp\n{owner.tenant}\n{owner.person}"


def _written(number: int, secret: bytes) -> str:
    text = base64.b32encode(secret).decode().lower()
    return "-".join((str(number), *(text[at : at + 4] for at in range(0, len(text), 4))))


def _plain(code: str) -> str:
    """Return a code as it is hashed: people leave out hyphens, and write capitals."""
    return "".join(code.lower().split()).replace("-", "")
