"""argon2id, for what people make up or write down: slow on purpose, two at a time, and few that wait for it.

Whoever waits holds a thread that every other request would need: strangers must not fill them all.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.kernel.errors import TooManyAttempts

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB, PASSES, LANES = 47_104, 1, 1  # 46 MiB: the first of the settings that OWASP's cheat sheet names
AT_ONCE = 2
WAITING = 8


@dataclass(frozen=True, slots=True)
class SlowHash:
    """Hash and verify; memory is bounded by how many run at once, threads by how many wait.

    Raises `TooManyAttempts` where no more may wait.
    """

    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    room: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE + WAITING))

    def hash(self, secret: str) -> str:
        """Return the encoded hash with its salt and its costs."""
        with self._turn():
            return str(_hasher().hash(secret))

    def matches(self, kept: str, secret: str) -> bool:
        """Return whether `secret` is what was hashed."""
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._turn():
            try:
                return bool(_hasher().verify(kept, secret))
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self.room.acquire(blocking=False):
            raise TooManyAttempts("too many sign in by a code at this moment; try again in a second")
        try:
            with self.turns:
                yield
        finally:
            self.room.release()


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # late: nobody who lists nodes waits for it

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16)
