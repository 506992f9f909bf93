"""The round over all leases: renew what lives, end what is over, say how many denials were only counted."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease import deciding
from ringfence.keyrelease.model import DENIAL_WINDOW, Ending, Lease, LeaseState, StandingRule
from ringfence.keyrelease.service import KeyRelease

EVERY = 5.0  # seconds between rounds: a lease has minutes
AT_ONCE = 16  # tenants
HAND_OVER_WITHIN = timedelta(seconds=60)  # a release that is older and not handed over was broken off

Newest = Callable[[Tenant, str], StandingRule | None]


@dataclass(frozen=True, slots=True)
class Rounds:
    """One turn at a time."""

    service: KeyRelease

    def __call__(self) -> int:
        """Look at every lease once; return how many were renewed or ended. One that fails keeps none of the others."""
        now, newest = self.service.clock.now(), cache(self.service.colleagues.rules.newest)  # as of this round
        of_tenant: dict[Tenant, list[Lease]] = {}
        for lease in self.service.store.leases():
            of_tenant.setdefault(lease.tenant, []).append(lease)
        with ThreadPoolExecutor(min(AT_ONCE, len(of_tenant)) or 1) as pool:
            looked = list(pool.map(lambda leases: self._look_at(leases, newest), of_tenant.values()))
        with self.service.transaction():
            self.service.store.forget_challenges(now - DENIAL_WINDOW)
        self.service.denying.flush(now)
        if problems := [problem for _, found in looked for problem in found]:
            raise problems[0]
        return sum(done for done, _ in looked)

    def _look_at(self, leases: Sequence[Lease], newest: Newest) -> tuple[int, list[RingfenceError]]:
        """Look at the leases of one tenant, whose nodes hold up nobody else's; return how many, and what failed."""
        done, problems = 0, []
        for lease in leases:
            try:
                done += self._look(lease, newest)
            except RingfenceError as error:
                problems.append(error)
        return done, problems

    def _look(self, lease: Lease, newest: Newest) -> int:
        at = self.service.clock.now()
        if deciding.over(lease, at):
            self.service.leasing.end(lease, Ending.EXPIRED)
        elif self._gone(lease):
            self.service.leasing.end(lease, Ending.NODE_GONE)
        elif lease.state is LeaseState.GRANTED and at - lease.renewed_at > HAND_OVER_WITHIN:
            self.service.leasing.end(lease, Ending.NOT_DELIVERED)
        elif lease.state is LeaseState.LIVE and self.service.withdraw(lease, newest(lease.tenant, lease.dataset)):
            pass
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
