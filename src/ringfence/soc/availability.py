"""How long an isolated node has been away from its customers. Pure.

An isolation can itself become the reportable outage: the cloud service threshold of Implementing Regulation (EU)
2024/2690 counts from 30 minutes of full unavailability. Nothing is decided here: a person is told in time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ringfence.soc.action import NodeFacts
from ringfence.soc.model import Finding, finding_id

RULE = "availability-threshold"
WARN_AFTER = timedelta(minutes=20)


def warnings(nodes: Iterable[NodeFacts], at: datetime) -> list[Finding]:
    """Return the findings about nodes that have been cut off for so long that somebody must know by now.

    The same isolation gives the same finding, however often and however late it is asked for.
    """
    served = [(node.node, node.contained_since) for node in nodes if node.serves]  # nobody misses the others
    return [_warning(node, since, at) for node, since in served if since is not None and at - since >= WARN_AFTER]


def _warning(node: str, since: datetime, at: datetime) -> Finding:
    return Finding(
        id=finding_id(RULE, node, "", since),
        rule=RULE,
        subject=node,
        source="",
        first_seen=since,
        last_seen=at,
        count=1,
        severity="high",
        title="An isolated node is near the 30-minute threshold of unavailability",
    )
