"""The round over all leases: renew what lives, end what is over, say how many denials were only counted."""

from dataclasses import dataclass
from datetime import timedelta

from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.keyrelease import deciding
from ringfence.keyrelease.model import DENIAL_WINDOW, Ending, Lease, LeaseState
from ringfence.keyrelease.service import KeyRelease

EVERY = 5.0  # seconds between rounds: a lease has minutes
HAND_OVER_WITHIN = timedelta(seconds=60)  # a release that is older and not handed over was broken off


@dataclass(frozen=True, slots=True)
class Rounds:
    """One turn at a time."""

    service: KeyRelease

    def __call__(self) -> int:
        """Look at every lease once; return how many were renewed or ended. One that fails keeps none of the others."""
        now, done, problems = self.service.clock.now(), 0, []
        for lease in self.service.store.leases():
            try:
                done += self._look(lease)
            except RingfenceError as error:
                problems.append(error)
        with self.service.transaction():
            self.service.store.forget_challenges(now - DENIAL_WINDOW)
        self.service.denying.flush(now)
        if problems:
            raise problems[0]
        return done

    def _look(self, lease: Lease) -> int:
        at = self.service.clock.now()
        if deciding.over(lease, at):
            self.service.leasing.end(lease, Ending.EXPIRED)
        elif self._gone(lease):
            self.service.leasing.end(lease, Ending.NODE_GONE)
        elif lease.state is LeaseState.GRANTED and at - lease.renewed_at > HAND_OVER_WITHIN:
            self.service.leasing.end(lease, Ending.NOT_DELIVERED)
        elif lease.state is LeaseState.LIVE and deciding.due_for_renewal(lease, at):
            self._renew(lease)
        else:
            return 0
        return 1

    def _gone(self, lease: Lease) -> bool:
        if not self.service.colleagues.nodes.living(lease.node):
            return True
        return self.service.colleagues.nodes.named(lease.tenant, lease.node_name).node != lease.node

    def _renew(self, lease: Lease) -> None:
        try:
            self.service.renew(lease)
        except Refused:
            return  # recorded, and the lease has ended; that is what was to be done
