"""The counter of a passkey: it grows with each use, and where it does not there may be two of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.identity.signin import ceremony, statements
from ringfence.identity.signin.model import Passkey
from ringfence.identity.signin.ports import Passkeys
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Conflict, VerificationFailed
from ringfence.kernel.evidence import Recorder


@dataclass(frozen=True, slots=True)
class Counting:
    """Keep counters that grew, and state those that did not: whoever signs in, confirms or acts."""

    passkeys: Passkeys
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock

    def __call__(self, passkey: Passkey, counter: int) -> None:
        """Keep what a passkey counted in an answer that is right otherwise.

        Raises:
            VerificationFailed: it did not grow, which is stated, once an hour for each passkey.
            Conflict: another use was faster.
        """
        now = self.clock.now()
        if ceremony.counts_backwards(passkey, counter):
            with self.publishable():
                refused = statements.passkey_refused(passkey, counter=counter, at=now)
                self.recorder.record(refused, tenant=passkey.owner.tenant)
            raise VerificationFailed("this passkey counted backwards: there may be two of it")
        with self.transaction():
            if not self.passkeys.used(passkey, counter=counter, at=now):
                raise Conflict("this passkey was used elsewhere in the same moment; try again")
