"""Findings, and what was done about them, as incidents take them in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.incidents.model import Fact, FactKind, FindingFacts
from ringfence.incidents.watch import Watch
from ringfence.kernel.identifier import Tenant
from ringfence.soc import faults
from ringfence.soc.action import ActionKind, State
from ringfence.soc.ports import Answered, Raised
from ringfence.soc.respond import STORM
from ringfence.soc.sources.gateway import RULES

SESSION = 64 * 2**10  # bytes: an SSH session that only looks around sends less than that
Sent = Callable[[str, str], int]  # bytes from a node to an address, as the network helper counted them

# A storm is of the whole tenant; what the gateway reports is of a key, or of a stranger; what is wrong with it, of it.
OF_NO_NODE = RULES | faults.RULES | {STORM}

_DONE = {
    ActionKind.ISOLATE_NODE: (FactKind.ISOLATED, "the node was cut off from every other, outside of it"),
    ActionKind.BLOCK_KEY: (FactKind.KEY_BLOCKED, "an API key was blocked at the gateway until a person unblocks it"),
    ActionKind.BLOCK_SOURCE: (FactKind.SOURCE_BLOCKED, "the source was blocked at the outside ports"),
    ActionKind.ALERT: (FactKind.ALERT, "people were alerted"),
}


@dataclass(frozen=True, slots=True)
class IncidentObserver:
    """`soc.ports.Observers`: hands over what incidents need, and nothing that they would have to interpret."""

    watch: Watch
    sent: Sent

    def consider(self, tenant: Tenant, raised: Raised, response: Answered) -> None:
        """Open or extend the incident that a finding is about."""
        facts = [*done_of(raised, response), *self._sent(raised, response)]
        self.watch.consider(tenant, facts_of(raised, response.times.finding), facts)

    def _sent(self, raised: Raised, response: Answered) -> Iterator[Fact]:
        """Say how much a node sent to a source that came in: counted outside the node, which cannot forge it."""
        node, source = raised.node, raised.finding.source
        if node is None or not source or response.response.act(ActionKind.ISOLATE_NODE) is None:
            return
        count = self.sent(node.node, source)
        if count > SESSION:
            text = f"{count} bytes went from the node to the source, counted by the network outside of the node"
            rests_on = (str(raised.statement),) if raised.statement else ()
            yield Fact(FactKind.DATA_SENT, response.times.finding, node.node, text, rests_on, node.serves)


def facts_of(raised: Raised, detected_at: datetime) -> FindingFacts:
    """Return a finding as incidents know it."""
    finding, node = raised.finding, raised.node
    return FindingFacts(
        id=raised.reference,
        rule=finding.rule,
        subject="" if finding.rule in OF_NO_NODE else finding.subject,
        source=finding.source,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        detected_at=detected_at,
        count=finding.count,
        severity=finding.severity,
        title=finding.title,
        technique=finding.technique,
        evidence=finding.evidence,
        envelope=str(raised.statement or ""),
        customer_facing=node.serves if node else False,
    )


def done_of(raised: Raised, response: Answered) -> Sequence[Fact]:
    """Return what was carried out, each with when and on what it rests."""
    at, node = response.times.acted or response.times.decided, raised.node
    rests_on = (str(raised.statement),) if raised.statement else ()
    return [
        Fact(_DONE[act.kind][0], at, node.node if node else "", _DONE[act.kind][1], rests_on, _serves(raised))
        for act, state in zip(response.response.acts, response.states, strict=True)
        if state is State.DONE
    ]


def _serves(raised: Raised) -> bool:
    return raised.node.serves if raised.node else False
