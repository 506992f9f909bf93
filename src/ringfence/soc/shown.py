"""What the front ends show of a finding: its facts, and the chain from the lines to what was done. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.soc import policy as settings
from ringfence.soc.action import ActionKind, Ruling, State
from ringfence.soc.alerts import plain, sentence
from ringfence.soc.playbook import Playbook
from ringfence.soc.policy import Policy
from ringfence.soc.ports import Delivery, Raised, Ruled
from ringfence.soc.posting import GIVEN_UP
from ringfence.soc.respond import STORM
from ringfence.soc.statements import millis

MARKS = {  # the console's states of a word: what was done, what waits, what failed, what was left alone
    State.DONE: "satisfied",
    State.DESIRED: "pending",
    State.WAITING: "pending",
    State.SETTLED: "not-applicable",
    State.FAILED: "not-satisfied",
    State.NONE: "not-applicable",
}


def to_json(raised: Raised, rulings: Sequence[Ruled]) -> dict[str, Any]:
    """Return a finding with what was ruled about it."""
    finding, node = raised.finding, raised.node
    return {
        "finding": raised.reference,
        "rule": finding.rule,
        "title": plain(finding.title),
        "severity": finding.severity,
        "node": node.node if node else "",
        "node_name": plain(node.name if node else finding.subject),
        "source": plain(finding.source),
        "first_seen": to_text(finding.first_seen),
        "last_seen": to_text(finding.last_seen),
        "count": finding.count,
        "techniques": list(finding.technique),
        "evidence": list(finding.evidence),
        "authenticated": raised.authenticated,
        "statement": str(raised.statement) if raised.statement else None,
        "actions": [_ruled(one) for one in rulings],
    }


def _ruled(one: Ruled) -> dict[str, Any]:
    times = one.times
    return {
        "action": one.act.kind.value,
        "target": plain(one.act.target),
        "ruling": one.act.ruling.value,
        "reason": one.act.reason.value,
        "says": sentence(one.act, one.state),
        "state": one.state.value,
        "turn": one.turn,
        "line_received_at": to_text(times.line),
        "finding_ms": millis(times.line, times.finding),
        "decided_ms": millis(times.line, times.decided),
        "acted_ms": millis(times.line, times.acted) if times.acted else None,
        "statement": str(one.statement) if one.statement else None,
    }


def alert_json(delivery: Delivery, state: str) -> dict[str, Any]:
    """Return how far an alert has come."""
    return {
        "channel": delivery.channel,
        "state": state,
        "attempts": delivery.attempts,
        "created_at": to_text(delivery.created_at),
    }


def settings_json(version: int, policy: Policy, playbook: Playbook) -> dict[str, Any]:
    """Return what is done about findings: the tenant's settings and the playbooks."""
    return {
        "version": version,
        "settings": settings.to_document(policy),
        "playbooks": [
            {"rule": entry.rule, "actions": [kind.value for kind in entry.actions], "attempts": entry.attempts}
            for entry in playbook.entries.values()
        ],
        "playbook_digest": str(playbook.digest),
    }


def waits(rulings: Iterable[Ruled], alerts: Iterable[str]) -> bool:
    """Tell whether anything about a finding is left to a person: an act, or an alert that was given up."""
    return any(one.state is State.WAITING for one in rulings) or GIVEN_UP in alerts


@dataclass(frozen=True, slots=True)
class Row:
    """A finding in the list."""

    raised: Raised
    node: str
    source: str
    said: str  # the most drastic thing that was done, or why not
    state: str  # the console's word for it

    @property
    def href(self) -> str:
        """Return the address of its page."""
        return f"/findings/{self.raised.reference}"


def _node(raised: Raised) -> str:
    if raised.node is not None:
        return plain(raised.node.name)
    return "" if raised.finding.rule == STORM else plain(raised.finding.subject)  # a storm is of the whole tenant


def row(raised: Raised, rulings: Sequence[Ruled]) -> Row:
    """Return the row of a finding: what waits for a person counts first, then what was done, then what was not."""
    order = {ruling: place for place, ruling in enumerate((Ruling.TAKE, Ruling.ASK, Ruling.WOULD, Ruling.SKIP))}
    acts = [one for one in rulings if one.act.kind is not ActionKind.ALERT] or list(rulings)
    kinds = list(ActionKind)
    chosen = min(
        acts,
        key=lambda one: (one.state is not State.WAITING, order[one.act.ruling], kinds.index(one.act.kind), one.turn),
        default=None,
    )
    return Row(
        raised,
        _node(raised),
        plain(raised.finding.source),
        sentence(chosen.act, chosen.state) if chosen else "nothing was decided yet",
        MARKS[chosen.state] if chosen else "pending",
    )
