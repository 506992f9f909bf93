"""How long an isolated node has been away from its customers. Pure.

An isolation can itself become the reportable outage: the cloud service threshold of Implementing Regulation (EU)
2024/2690 counts from 30 minutes of full unavailability. Nothing is decided here: a person is told in time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.soc.action import NodeFacts
from ringfence.soc.model import Finding, finding_id

RULE = "availability-threshold"
WARN_AFTER = timedelta(minutes=20)
THRESHOLD = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Outage:
    """A node that customers depend on and that was cut off."""

    node: NodeFacts
    since: datetime

    @property
    def threshold_at(self) -> datetime:
        """Return when the threshold is passed."""
        return self.since + THRESHOLD


def outages(nodes: Iterable[NodeFacts]) -> list[Outage]:
    """Return the nodes whose isolation customers feel."""
    return [Outage(node, node.contained_since) for node in nodes if node.serves and node.contained_since is not None]


def warnings(nodes: Iterable[NodeFacts], at: datetime) -> list[Finding]:
    """Return the findings about nodes that have been cut off for so long that somebody must know by now.

    The same isolation gives the same finding, however often and however late it is asked for.
    """
    return [_warning(outage, at) for outage in outages(nodes) if at - outage.since >= WARN_AFTER]


def _warning(outage: Outage, at: datetime) -> Finding:
    node = outage.node.node
    return Finding(
        id=finding_id(RULE, node, "", outage.since),
        rule=RULE,
        subject=node,
        source="",
        first_seen=outage.since,
        last_seen=at,
        count=1,
        severity="high",
        title="An isolated node is near the 30-minute threshold of unavailability",
    )
