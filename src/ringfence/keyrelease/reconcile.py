"""The round over all leases: renew what lives, end what is over, say how many denials were only counted."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from datetime import datetime, timedelta
from functools import cache
from threading import Thread

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease import deciding
from ringfence.keyrelease.model import DENIAL_WINDOW, Ending, Lease, LeaseId, LeaseState, StandingRule
from ringfence.keyrelease.service import KeyRelease

EVERY = 5.0  # seconds between rounds: a lease has minutes
PATIENCE = 5.0  # seconds that `up` waits in a round for nodes; the others are looked at beside the next rounds
AT_ONCE = 8  # nodes of one tenant
HAND_OVER_WITHIN = timedelta(seconds=60)  # a release that is older and not handed over was broken off

Newest = Callable[[Tenant, str], StandingRule | None]
Place = tuple[Tenant, str]  # a tenant's node
Looked = tuple[int, list[Exception]]  # how many leases were renewed or ended, and what failed

_log = logging.getLogger(__name__)


class Rounds:
    """One turn at a time; a node that does not answer holds up its own leases and no others.

    Without `patience` a turn waits until every node was looked at.
    """

    def __init__(self, service: KeyRelease, *, patience: float | None = None) -> None:
        self.service = service
        self.patience = patience
        self._under_way: dict[Place, Future[Looked]] = {}
        self._begun: dict[Place, int] = {}  # in which turn each node was looked at last
        self._judged_by: dict[LeaseId, Digest] = {}  # the rule under which a lease was looked at first, or renewed
        self._turn = 0

    def __call__(self) -> int:
        """Look at every lease once; return how many were renewed or ended since the last turn."""
        now, newest = self.service.clock.now(), cache(self.service.colleagues.rules.newest)  # as of this turn
        self._turn += 1
        of_node: dict[Place, list[Lease]] = {}
        leases = self.service.store.leases()
        for ended in self._judged_by.keys() - {lease.id for lease in leases}:
            del self._judged_by[ended]
        for lease in leases:
            of_node.setdefault((lease.tenant, lease.node), []).append(lease)
        self._begun = {place: turn for place, turn in self._begun.items() if place in of_node}
        for place in self._free(of_node):
            self._begin(place, of_node[place], newest)
        wait(self._under_way.values(), timeout=self.patience)
        done, problems = self._finished()
        with self.service.transaction():
            self.service.store.forget_challenges(now - DENIAL_WINDOW)
        self.service.denying.flush(now)
        if problems:
            raise problems[0]
        return done

    def _free(self, places: Iterable[Place]) -> list[Place]:
        """Return the nodes to look at now: those that wait longest first, so many of each tenant."""
        room: dict[Tenant, int] = {}
        for tenant, _ in self._under_way:
            room[tenant] = room.get(tenant, AT_ONCE) - 1
        chosen = []
        for place in sorted(set(places) - self._under_way.keys(), key=lambda one: (self._begun.get(one, 0), one)):
            if room.setdefault(place[0], AT_ONCE) > 0:
                room[place[0]] -= 1
                chosen.append(place)
        return chosen

    def _begin(self, place: Place, leases: Sequence[Lease], newest: Newest) -> None:
        """Look at the leases of one node in a thread of its own, which ends with this process."""
        found: Future[Looked] = Future()
        self._under_way[place], self._begun[place] = found, self._turn
        work = lambda: found.set_result(self._look_at(leases, newest))  # noqa: E731 -- a line where it is used
        Thread(target=work, name=f"leases of {place[1]}", daemon=True).start()

    def _finished(self) -> Looked:
        """Collect what has come to its end, of this turn and of earlier ones."""
        ended = [place for place, found in self._under_way.items() if found.done()]
        results = [self._under_way.pop(place).result() for place in ended]
        return sum(done for done, _ in results), [problem for _, found in results for problem in found]

    def _look_at(self, leases: Sequence[Lease], newest: Newest) -> Looked:
        """Look at the leases of one node; one that fails, however it does, keeps none of the others."""
        done, problems = 0, list[Exception]()
        for lease in leases:
            try:
                done += self._look(lease, newest)
            except RingfenceError as error:
                problems.append(error)
            except Exception as error:  # noqa: BLE001 - whatever a node brings about: the next lease has its turn
                _log.exception("the lease %s could not be looked at", lease.id)
                problems.append(error)
        return done, problems

    def _look(self, listed: Lease, newest: Newest) -> int:
        lease = self.service.store.lease(listed.tenant, listed.id)
        if lease is None or lease.state is LeaseState.ENDED:  # while the leases before it were looked at
            return 0
        at = self.service.clock.now()
        if deciding.over(lease, at):
            self.service.leasing.end(lease, Ending.EXPIRED)
        elif self._gone(lease):
            self.service.leasing.end(lease, Ending.NODE_GONE)
        elif lease.state is LeaseState.GRANTED and at - lease.renewed_at > HAND_OVER_WITHIN:
            self.service.leasing.end(lease, Ending.NOT_DELIVERED)
        elif lease.state is LeaseState.LIVE:
            return self._look_at_living(lease, newest(lease.tenant, lease.dataset), at)
        else:
            return 0
        return 1

    def _look_at_living(self, lease: Lease, rule: StandingRule | None, at: datetime) -> int:
        if self.service.withdraw(lease, rule) or rule is None:
            return 1
        judged_by = self._judged_by.setdefault(lease.id, rule.statement)
        if judged_by == rule.statement and not deciding.due_for_renewal(lease, at):
            return 0
        # By another rule, the node may have to show something else.
        done = self._renew(lease, replaced=judged_by != rule.statement)
        self._judged_by[lease.id] = rule.statement
        return done

    def _gone(self, lease: Lease) -> bool:
        if not self.service.colleagues.nodes.living(lease.node):
            return True
        return self.service.colleagues.nodes.named(lease.tenant, lease.node_name).node != lease.node

    def _renew(self, lease: Lease, *, replaced: bool) -> int:
        try:
            return int(self.service.renew(lease, replaced=replaced) is not lease)
        except Refused:
            return 1  # recorded, and the lease has ended; that is what was to be done
