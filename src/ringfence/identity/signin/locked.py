"""Lock-outs, stated: whom somebody guesses at so often that the next attempt has to wait.

A loop looks for them. Were each refused attempt stated as it comes, a guesser could tell by its duration which ids are
known here, and could fill the log.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ringfence.identity.signin import statements
from ringfence.identity.signin.guard import Guard
from ringfence.identity.signin.model import Owner
from ringfence.kernel.evidence import Recorder


@dataclass(frozen=True, slots=True)
class Lockouts:
    """States each person's lock-out, once an hour while the guessing goes on."""

    everybody: Callable[[], Iterable[Owner]]  # with access now
    guard: Guard
    recorder: Recorder
    publishable: Callable[[], AbstractContextManager[None]]
    stated: dict[Owner, str] = field(default_factory=dict)  # the last hour; the log refuses a second one

    def __call__(self) -> int:
        """State what is new; return how many lock-outs that were."""
        locked = self.guard.locked(self.everybody())
        new = {owner: one for owner, one in locked.items() if self.stated.get(owner) != statements.hour(one.last_at)}
        for owner, attempts in new.items():
            with self.publishable():
                self.recorder.record(statements.person_locked(owner, attempts), tenant=owner.tenant)
            self.stated[owner] = statements.hour(attempts.last_at)
        return len(new)
