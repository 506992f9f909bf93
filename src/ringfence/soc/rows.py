"""Findings, rulings and alerts as rows, and back. Pure: the tables are in `store`."""

import json
from collections.abc import Sequence
from typing import Any

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.soc.action import Act, ActionKind, NodeFacts, Past, Reason, Response, Ruling, State, Times
from ringfence.soc.model import Finding
from ringfence.soc.ports import Alert, Answered, Delivery, Raised, Ruled


def finding_row(raised: Raised) -> dict[str, Any]:
    """Return the row of a finding."""
    found, node = raised.finding, raised.node
    facts: dict[str, Any] = {
        "subject": found.subject,
        "source": found.source,
        "first_seen": to_millis(found.first_seen),
        "count": found.count,
        "severity": found.severity,
        "technique": list(found.technique),
        "evidence": list(found.evidence),
        "title": found.title,
        "node": _node_facts(node) if node else None,
    }
    return {
        "tenant": raised.tenant,
        "reference": raised.reference,
        "key": found.id,
        "rule": found.rule,
        "last_seen": to_millis(found.last_seen),
        "authenticated": raised.authenticated,
        "noted": raised.noted,
        "statement": raised.statement.value if raised.statement else None,
        "facts": json.dumps(facts),
    }


def _node_facts(node: NodeFacts) -> dict[str, Any]:
    since = node.contained_since
    return {
        "node": node.node,
        "name": node.name,
        "node_class": node.node_class,
        "training": node.training,
        "serves": node.serves,
        "contained_since": to_millis(since) if since else None,
    }


def finding(row: Any) -> Raised:
    """Return the finding of a row."""
    facts = json.loads(row.facts)
    node = facts["node"]
    if node is not None:
        since = node["contained_since"]
        node = NodeFacts(**(node | {"contained_since": from_millis(since) if since is not None else None}))
    found = Finding(
        id=row.key,
        rule=row.rule,
        subject=facts["subject"],
        source=facts["source"],
        first_seen=from_millis(facts["first_seen"]),
        last_seen=from_millis(row.last_seen),
        count=facts["count"],
        severity=facts["severity"],
        technique=tuple(facts["technique"]),
        evidence=tuple(facts["evidence"]),
        title=facts["title"],
    )
    stated = Digest(row.statement) if row.statement else None
    return Raised(Tenant(row.tenant), row.reference, found, node, row.authenticated, stated, row.noted)


def ruling_row(tenant: Tenant, ruled: Ruled) -> dict[str, Any]:
    """Return the row of a ruling."""
    act, times = ruled.act, ruled.times
    return {
        "tenant": tenant,
        "finding": ruled.finding,
        "action": act.kind.value,
        "turn": ruled.turn,
        "target": act.target[:256],
        "ruling": act.ruling.value,
        "reason": act.reason.value,
        "seconds": act.seconds,
        "state": ruled.state.value,
        "attempts": ruled.attempts,
        "isolations": ruled.isolations,
        "cap": ruled.cap,
        "line_at": to_millis(times.line),
        "found_at": to_millis(times.finding),
        "decided_at": to_millis(times.decided),
        "acted_at": to_millis(times.acted) if times.acted else None,
        "statement": ruled.statement.value if ruled.statement else None,
    }


def ruling(row: Any) -> Ruled:
    """Return the ruling of a row."""
    act = Act(ActionKind(row.action), row.target, Ruling(row.ruling), Reason(row.reason), row.seconds)
    acted = from_millis(row.acted_at) if row.acted_at is not None else None
    times = Times(from_millis(row.line_at), from_millis(row.found_at), from_millis(row.decided_at), acted)
    stated = Digest(row.statement) if row.statement else None
    state = State(row.state)
    return Ruled(row.finding, act, row.turn, state, times, row.isolations, row.cap, row.attempts, stated)


def past(row: Any) -> Past:
    """Return what a row says about the past."""
    at = from_millis(row.decided_at)
    until = from_millis(row.decided_at + row.seconds * 1000) if row.seconds else None
    return Past(row.key, ActionKind(row.action), row.target, Ruling(row.ruling), at, until, row.turn)


def delivery(row: Any) -> Delivery:
    """Return the delivery of a row."""
    message = json.loads(row.message)
    alert = Alert(row.alert, Tenant(row.tenant), row.about, **message)
    return Delivery(alert, row.channel, from_millis(row.created_at), row.attempts, from_millis(row.next_at))


def rows_of(reference: str, answered: Answered) -> list[Ruled]:
    """Return the rows that keep a response."""
    response = answered.response
    return [
        Ruled(reference, act, response.turn, state, answered.times, response.isolations, response.cap)
        for act, state in zip(response.acts, answered.states, strict=True)
    ]


def answered_of(rows: Sequence[Ruled]) -> Answered:
    """Return the response that rows stand for; of several turns the newest."""
    turn = max(row.turn for row in rows)
    newest = [row for row in rows if row.turn == turn]
    response = Response(tuple(row.act for row in newest), turn, newest[0].isolations, newest[0].cap)
    return Answered(response, newest[0].times, tuple(row.state for row in newest))
