"""End leases: the agent drops the key as far as it is reached, and it is recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, RingfenceError
from ringfence.kernel.evidence import Recorder
from ringfence.kernel.identifier import PersonId
from ringfence.keyrelease import statements
from ringfence.keyrelease.model import Ending, Lease, LeaseId, LeaseState
from ringfence.keyrelease.ports import Attester, Nodes, Store


@dataclass(frozen=True, slots=True)
class Leasing:
    """Leases, on their way out."""

    transaction: Callable[[], AbstractContextManager[None]]
    store: Store
    recorder: Recorder
    nodes: Nodes
    attester: Attester
    clock: Clock

    def end(self, lease: Lease, ending: Ending, by: PersonId | None = None) -> Lease:
        """End a lease: the agent drops the key first, as far as it is reached; then it is recorded."""
        dropped = False
        try:
            target = replace(self.nodes.named(lease.tenant, lease.node_name), by=by or lease.by)
            dropped = target.node == lease.node and self.attester.revoke(target, lease.id)
        except RingfenceError:
            dropped = False  # the statement says so; the lease ends all the same
        return self.finish(lease, ending, dropped=dropped, by=by)

    def finish(self, lease: Lease, ending: Ending, *, dropped: bool, by: PersonId | None = None) -> Lease:
        """Record that a lease has ended; one that has, stays as it ended."""
        with self.transaction():
            current = self.store.lease(lease.tenant, lease.id)
            if current is None or current.state is LeaseState.ENDED:
                return current or lease
            over = replace(current, state=LeaseState.ENDED, because=ending.value, ended_at=self.clock.now())
            node = statements.of_leased_node(current)
            draft = statements.lease_ended(over, node, ending, dropped=dropped, by=by)
            self.recorder.record(draft, tenant=lease.tenant)
            self.store.put_lease(over)
        return over

    def end_for(self, caller: Person, lease: LeaseId) -> Lease:
        """End a lease because a person says so."""
        found = self.store.lease(caller.tenant, lease)
        if found is None:
            raise NotFound(f"no lease {lease} is known in this tenant")
        return self.end(found, Ending.BY_PERSON, caller.id)
