"""Slow guessers down: each attempt counts as failed before it is looked at, so that many at once gain nothing."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.identity.signin import lockout
from ringfence.identity.signin.lockout import ASKED, FORGOTTEN_AFTER, PERSON, PLACE, Limit
from ringfence.identity.signin.model import Attempts, Owner
from ringfence.identity.signin.ports import AttemptBook, Vault
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import TooManyAttempts


@dataclass(frozen=True, slots=True)
class Guard:
    """Counts attempts by person, whether there is one of that name or not, and by place."""

    book: AttemptBook
    vault: Vault
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock

    def enter(self, *, person: str = "", place: str = "") -> None:
        """Count an attempt; raise `TooManyAttempts` where it comes too early."""
        self._count([("person", person, PERSON), ("place", place, PLACE)])

    def ask(self, place: str) -> None:
        """Count a question that a place has us keep, until `answered`; raise `TooManyAttempts` beyond the limit."""
        self._count([("asked", place, ASKED)])

    def right(self, *, person: str = "", place: str = "") -> None:
        """Take back all attempts at a person, who was right, and this one of a place: the others of it were not."""
        with self.transaction():
            if person:
                self.book.clear(self._subject("person", person))
            if place:
                self._take_back(self._subject("place", place))

    def answered(self, place: str) -> None:
        """Take a place's questions back: one was answered."""
        with self.transaction():
            self.book.clear(self._subject("asked", place))

    def locked(self, people: Iterable[Owner]) -> dict[Owner, Attempts]:
        """Return which of these people are guessed at so often that an attempt has to wait."""
        beyond = {attempts.subject: attempts for attempts in self.book.beyond(PERSON.free)}
        marks = ((owner, self._subject("person", owner.person)) for owner in people) if beyond else ()
        return {owner: beyond[mark] for owner, mark in marks if mark in beyond}

    def _count(self, counted: Sequence[tuple[str, str, Limit]]) -> None:
        now = self.clock.now()
        subjects = [(self._subject(kind, text), limit) for kind, text, limit in counted if text]
        with self.transaction():
            self.book.forget(now - FORGOTTEN_AFTER)
            known = {subject: self.book.read(subject) for subject, _ in subjects}
            longest = max((lockout.waits(known[subject], limit, now) for subject, limit in subjects), default=None)
            if longest:
                seconds = -int(-longest.total_seconds() // 1)
                raise TooManyAttempts(f"too many attempts failed; the next one is looked at in {seconds} s")
            for subject, _ in subjects:
                self.book.write(lockout.counted(known[subject], subject, now))

    def _take_back(self, subject: bytes) -> None:
        left = lockout.taken_back(self.book.read(subject))
        if left is None:
            self.book.clear(subject)
        else:
            self.book.write(left)

    def _subject(self, kind: str, text: str) -> bytes:
        return self.vault.mark(f"{kind}\n{text}")
