"""What becomes of nodes while an incident about them is open, and the register that follows every change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.compute.model import Node, Quarantine
from ringfence.compute.service import Compute
from ringfence.cutoff.nodes import serves
from ringfence.incidents.model import Fact, FactKind, Incident
from ringfence.incidents.register import Register
from ringfence.incidents.watch import Watch
from ringfence.kernel.identifier import Tenant

LOOKED_BACK = timedelta(days=1)  # a release is noted within seconds; after a day it is history

Heads = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Following:
    """Take one turn for a tenant: note, warn, and record the register where anything changed."""

    compute: Compute
    watch: Watch
    register: Register
    _known: dict[Tenant, Heads] = field(default_factory=dict)

    def turn(self, tenant: Tenant) -> None:
        """Note what people did to nodes, send what clocks warn of, and state the register anew if it changed."""
        for fact in self._facts(tenant):
            self.watch.note(tenant, fact)
        self.watch.sweep(tenant)
        heads = heads_of(self.watch.incidents.desk.unfinished(tenant))
        if heads != self._known.get(tenant, ()):
            self.register.record(tenant)
            self._known[tenant] = heads

    def _facts(self, tenant: Tenant) -> Iterator[Fact]:
        now = self.compute.desk.now()
        for node in self.compute.desk.all(tenant):
            quarantine = self.compute.desk.quarantine(node)
            if quarantine is not None:
                yield from done_to(node, quarantine, now)


def heads_of(incidents: list[Incident]) -> Heads:
    """Return what changes whenever anything about an incident does."""
    return tuple(sorted((incident.id, len(incident.timeline)) for incident in incidents))


def done_to(node: Node, quarantine: Quarantine, now: datetime) -> Iterator[Fact]:
    """Return what people did to a node lately; what the response did, the watch has told already."""
    if quarantine.by and quarantine.cut_at and now - quarantine.cut_at < LOOKED_BACK:
        yield Fact(FactKind.ISOLATED, quarantine.cut_at, node.id, "a person had the node cut off", (), serves(node))
    if quarantine.released_at and now - quarantine.released_at < LOOKED_BACK:
        text = "two people released the node; the state before the cut was given back"
        yield Fact(FactKind.RELEASED, quarantine.released_at, node.id, text, (), serves(node))
