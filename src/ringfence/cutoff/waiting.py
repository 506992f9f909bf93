"""Gather what waits for a person, of every capability; the sentences are in `pressing`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ringfence.compute.service import Compute
from ringfence.customers.model import Announced, Customer
from ringfence.cutoff import pressing
from ringfence.frontends.page import ClockSummary
from ringfence.frontends.waiting import Item
from ringfence.incidents.service import Incidents
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.soc.faults import concerning
from ringfence.soc.ports import Faults
from ringfence.soc.service import Watch

Beginnings = Callable[[Tenant], Iterable[tuple[Customer, Announced]]]  # subprocessors that may not begin yet


@dataclass(frozen=True, slots=True)
class EverythingThatWaits:
    """`frontends.waiting.Waiting` over compute, incidents and the watch."""

    compute: Compute
    incidents: Incidents
    watch: Watch
    faults: Faults = tuple
    beginnings: Beginnings = lambda _tenant: ()

    def waiting(self, tenant: Tenant) -> list[Item]:
        """Return everything that waits for a person now."""
        return [
            *self._nodes(tenant),
            *self._clocks(tenant),
            *(pressing.of_beginning(one, told) for one, told in self.beginnings(tenant)),
            *pressing.of_findings(self.watch.waiting(tenant)),
            *pressing.of_alerts(self.watch.unsent(tenant)),
            *self._unheard(tenant),
            *map(pressing.of_fault, concerning(self.faults(), tenant)),
        ]

    def clocks(self, tenant: Tenant) -> ClockSummary | None:
        """Return the clocks for which somebody has to act; None where there is none."""
        return pressing.summary(self._clocks(tenant))

    def _nodes(self, tenant: Tenant) -> list[Item]:
        releases = self.compute.desk.nodes.releases
        cut = [node for node in self.compute.all(tenant) if node.cut_off]
        return [pressing.of_node(node, releases(node.id, node.quarantine)) for node in cut]

    def _clocks(self, tenant: Tenant) -> list[Item]:
        return [
            item
            for incident, clocks in self.incidents.running(tenant)
            for item in pressing.of_incident(incident, clocks)
        ]

    def _unheard(self, tenant: Tenant) -> Iterator[Item]:
        """Say where alerts about findings have no way out: an empty box of alerts would look as if all were sent."""
        if not self.watch.findings.count(tenant):
            return
        try:
            if not self.watch.post.notifiers.of(tenant):
                yield pressing.unheard("no channel is set up for this tenant in alerts.json")
        except RingfenceError as error:
            yield pressing.unheard(str(error))
