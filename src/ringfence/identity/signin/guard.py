"""Slow guessers down: each attempt counts as failed before it is looked at, so that many at once gain nothing."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.identity.signin import lockout
from ringfence.identity.signin.lockout import ASKED, FORGOTTEN_AFTER, PERSON, PLACE, Limit
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
        """Take the attempts back: this one was right."""
        self._forget([("person", person), ("place", place)])

    def answered(self, place: str) -> None:
        """Take a place's questions back: one was answered."""
        self._forget([("asked", place)])

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

    def _forget(self, counted: Sequence[tuple[str, str]]) -> None:
        with self.transaction():
            for kind, text in counted:
                if text:
                    self.book.clear(self._subject(kind, text))

    def _subject(self, kind: str, text: str) -> bytes:
        return self.vault.mark(f"{kind}\n{text}")
