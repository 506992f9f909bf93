"""How nodes are set up, against how they should be; and the act of saying that a machine of one's own is right."""

from dataclasses import dataclass

from ringfence.compute import statements
from ringfence.compute.configuration import Facts, drifted, unread
from ringfence.compute.desk import Desk
from ringfence.compute.model import Node, NodeId, NodeState
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Conflict, RingfenceError
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Compared:
    """A node beside its baseline."""

    node: NodeId
    baseline: Facts
    found: Facts  # empty where it could not be read
    because: str = ""  # why not

    @property
    def drifted(self) -> list[str]:
        """Return the facts that differ."""
        return drifted(self.baseline, self.found)

    @property
    def unknown(self) -> list[str]:
        """Return the facts that nobody can speak of: there is no baseline, or they could not be read."""
        return unread(self.baseline, self.found) if self.baseline else ["baseline"]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Read nodes, and keep how machines of one's own should be."""

    desk: Desk

    def compared(self, tenant: Tenant) -> list[Compared]:
        """Read every node of a tenant that is ready; one that does not answer says why."""
        return [self._compared(node) for node in self.desk.all(tenant) if node.state is NodeState.READY]

    def _compared(self, node: Node) -> Compared:
        provider = self.desk.provider(node)
        baseline = provider.baseline(node.spec)
        try:
            return Compared(node.id, baseline, provider.configuration(node.id))
        except RingfenceError as error:
            return Compared(node.id, baseline, {}, statements.sentence(str(error)))

    def accept(self, caller: Person, name: str) -> tuple[Facts, Acknowledgement]:
        """Take how a machine of one's own is set up now as how it should be; it is recorded who said so.

        Raises:
            Conflict: the node is not ready, or Ringfence set it up itself.
        """
        node = self.desk.named(caller.tenant, name)
        if node.state is not NodeState.READY:
            raise Conflict(f"{name} is {node.state}; only a node that is ready can be read")
        provider = self.desk.provider(node)
        before, facts = provider.baseline(node.spec), provider.configuration(node.id)
        with self.desk.transaction():
            provider.keep_baseline(node.id, facts)  # again changes nothing, should the record fail
            draft = statements.baseline(node, facts, changed=_changed(before, facts), by=caller.id)
            return facts, self.desk.recorder.record(draft, tenant=caller.tenant)


def _changed(before: Facts, facts: Facts) -> list[str]:
    return sorted(name for name in {*before, *facts} if before.get(name) != facts.get(name))
