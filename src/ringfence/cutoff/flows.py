"""What the network helper counts, as events for the watch and as facts for incidents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Flow
from ringfence.kernel.digest import dumps
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.soc.model import Event
from ringfence.soc.sources.flow import event_of

Key = tuple[str, str, str, str, int, str]
Owners = Callable[[], Mapping[str, Tenant]]  # of every node


@dataclass(slots=True)
class FlowFeed:
    """`soc.ports.Flows`: what the counters of the helper have grown by since they were read last.

    The first reading is only what the next ones are compared with. The helper outlives this process: what it counted
    for days has no times, and told at once it would look like a scan. A scan that goes on goes on being counted.
    """

    fabric: Callable[[], Fabric | None]
    owners: Owners
    _seen: dict[Key, Flow] | None = None

    def events(self, received_at: datetime) -> Sequence[tuple[Tenant, Event]]:
        """Return an event for each flow that grew, with the tenant of the node whose port it came in by."""
        fabric = self.fabric()
        flows = fabric.flows() if fabric is not None else ()
        owners = self.owners()
        grown = [(owners[flow.source_node], flow) for flow in self._grown(flows) if flow.source_node in owners]
        events = [(tenant, event_of(asdict(flow), _text(flow), received_at)) for tenant, flow in grown]
        return [(tenant, event) for tenant, event in events if event is not None]

    def _grown(self, flows: Sequence[Flow]) -> list[Flow]:
        before, now = self._seen, {_key(flow): flow for flow in flows}
        self._seen = now
        if before is None:
            return []
        found = [_since(flow, before.get(key)) for key, flow in now.items()]
        return [flow for flow in found if flow.packets]


def _key(flow: Flow) -> Key:
    return flow.source_node, flow.source, flow.target, flow.protocol, flow.port, flow.verdict


def _since(flow: Flow, before: Flow | None) -> Flow:
    if before is None or before.packets > flow.packets:  # a counter that went back was begun afresh
        return flow
    return replace(flow, packets=flow.packets - before.packets, bytes=max(flow.bytes - before.bytes, 0))


def _text(flow: Flow) -> str:
    return dumps(asdict(flow)).decode()


def sent(fabric: Callable[[], Fabric | None], node: str, address: str) -> int:
    """Return how many bytes of a node were let through to an address; 0 where nobody can say."""
    try:
        asked = fabric()
        flows = asked.flows() if asked is not None else ()
    except RingfenceError:
        return 0
    return sum(
        flow.bytes
        for flow in flows
        if flow.source_node == node and flow.target == address and flow.verdict == "accepted"
    )
