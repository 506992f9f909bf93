"""What an alert says, for mail and for a webhook. Pure.

Everything that comes from a log is hostile: it is cut short, and whatever is not printable ASCII is escaped. User
names stay out altogether, since people type passwords where a name is asked for.
"""

from collections.abc import Sequence

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.soc.action import Act, ActionKind, Reason, Ruling, State, Times
from ringfence.soc.ports import Alert, Answered, Raised
from ringfence.soc.statements import millis

LONGEST = 120  # characters of anything that is not ours
MAX_TEXT = 8000

_DONE = {
    ActionKind.ISOLATE_NODE: "the node was isolated",
    ActionKind.BLOCK_KEY: "the API key was blocked until a person unblocks it",
    ActionKind.BLOCK_SOURCE: "the source was blocked",
    ActionKind.ALERT: "this alert was sent",
}
_WOULD = {
    ActionKind.ISOLATE_NODE: "the node would have been isolated (dry run)",
    ActionKind.BLOCK_KEY: "the API key would have been blocked (dry run)",
    ActionKind.BLOCK_SOURCE: "the source would have been blocked (dry run)",
    ActionKind.ALERT: "this alert was sent",
}
_NOT = {
    ActionKind.ISOLATE_NODE: "the node was not isolated",
    ActionKind.BLOCK_KEY: "the API key was not blocked",
    ActionKind.BLOCK_SOURCE: "the source was not blocked",
    ActionKind.ALERT: "no alert of its own was sent",
}
_BECAUSE = {
    Reason.NEVER_ISOLATE: "it is on the list of nodes that are never isolated",
    Reason.NEVER_BLOCK: "it is on the list of addresses that are never blocked",
    Reason.NEVER_BLOCK_KEY: "it is on the list of keys that are never blocked",
    Reason.SHARED_ADDRESS: "the address is one that is never blocked, so others use it too; a person decides",
    Reason.NO_KEY: "no key of this tenant was named",
    Reason.ADMINISTRATOR: "a certificate was accepted from that address lately; a person decides",
    Reason.NO_ADDRESS: "it is not an IPv4 address that can be blocked",
    Reason.CAP: "as many as may be cut off without asking were cut off already; a person decides",
    Reason.COOLDOWN: "it was isolated a moment ago and is not any more; a person decides",
    Reason.IN_FORCE: "that is in force already",
    Reason.EXPIRED: "the attack is so long ago that the block would have ended by now",
    Reason.RULE_OFF: "the actions of this rule are switched off",
    Reason.SILENCED: "alerts of this rule are silenced",
    Reason.STORM: "one alert speaks for all of this storm",
    Reason.DECLARED: "nobody authenticated where the lines came from",
    Reason.UNKNOWN_NODE: "no node of this tenant reported it",
}
_NOT_TAKEN = {
    State.FAILED: "it was tried and could not be confirmed",
    State.WAITING: "it was tried and could not be confirmed; a person decides",
    State.SETTLED: "it could not be confirmed; a person settled it",
}


def plain(text: str) -> str:
    """Return hostile text as printable ASCII on one line, cut short."""
    shown = text[: LONGEST + 1].encode("unicode_escape").decode("ascii")
    return shown if len(text) <= LONGEST and len(shown) <= 2 * LONGEST else shown[:LONGEST] + "…"


def sentence(act: Act, state: State) -> str:
    """Say in words what became of an act."""
    if act.ruling is Ruling.TAKE:
        if state in _NOT_TAKEN:
            return f"{_NOT[act.kind]}: {_NOT_TAKEN[state]}"
        return _DONE[act.kind] if state is State.DONE else f"{_NOT[act.kind]} yet: it is being tried"
    if act.ruling is Ruling.WOULD:
        return _WOULD[act.kind]
    settled = "; a person settled it" if state is State.SETTLED else ""
    return f"{_NOT[act.kind]}: {_BECAUSE.get(act.reason, act.reason.value)}{settled}"


def compose(raised: Raised, answered: Answered, *, demo: bool = False) -> Alert:
    """Return the alert about a finding and what was done."""
    finding = raised.finding
    node = plain(raised.node.name if raised.node else finding.subject)
    acts = [
        sentence(act, state)
        for act, state in zip(answered.response.acts, answered.states, strict=True)
        if act.kind is not ActionKind.ALERT
    ]
    mark = "[demo] " if demo else ""
    subject = f"{mark}Ringfence: {finding.rule} on {node}"
    lines = [
        plain(finding.title) or finding.rule,
        "",
        f"{'Node' if raised.node else 'About':12}{node}",
        f"Source      {plain(finding.source) or 'none'}",
        f"Seen        {finding.count} times, from {to_text(finding.first_seen)} to {to_text(finding.last_seen)}",
        f"Severity    {plain(finding.severity)}",
        f"Techniques  {', '.join(plain(name) for name in finding.technique) or 'none named'}",
        "",
        "What was done:",
        *(f"- {line}" for line in acts or ["nothing but this alert"]),
        "",
        _latency(answered.times),
        "",
        f"See   ringfence findings show {raised.reference}",
        "A finding is not an incident: a person decides whether this is one, and how significant.",
    ]
    return _alert(raised.tenant, raised.reference, subject, "\n".join(lines), _document(raised, answered, demo=demo))


def _latency(times: Times) -> str:
    steps = [f"finding after {millis(times.line, times.finding)} ms"]
    steps.append(f"decision after {millis(times.line, times.decided)} ms")
    if times.acted is not None:
        steps.append(f"cut after {millis(times.line, times.acted)} ms")
    return f"From the line ({to_text(times.line)}): {', '.join(steps)}"


def _document(raised: Raised, answered: Answered, *, demo: bool) -> dict[str, object]:
    finding = raised.finding
    return {
        "type": "ringfence.alert/v1",
        "demo": demo,
        "tenant": raised.tenant,
        "finding": raised.reference,
        "rule": finding.rule,
        "severity": plain(finding.severity),
        "node": raised.node.node if raised.node else "",
        "source": plain(finding.source),
        "count": finding.count,
        "firstSeen": to_text(finding.first_seen),
        "lastSeen": to_text(finding.last_seen),
        "techniques": [plain(name) for name in finding.technique],
        "actions": _actions(answered.response.acts, answered.states),
        "lineReceivedAt": to_text(answered.times.line),
    }


def _actions(acts: Sequence[Act], states: Sequence[State]) -> list[dict[str, str]]:
    return [
        {"action": act.kind.value, "ruling": act.ruling.value, "reason": act.reason.value, "state": state.value}
        for act, state in zip(acts, states, strict=True)
    ]


def changed(tenant: Tenant, version: int, fields: Sequence[str], by: str) -> Alert:
    """Return the alert that the watch itself was changed."""
    text = "\n".join(
        [
            f"Changed     {', '.join(fields)}",
            f"By          {by}",
            "",
            "See   ringfence findings playbook",
            "If nobody of you did this, somebody is preparing something: end that person's access first.",
        ]
    )
    document: dict[str, object] = {
        "type": "ringfence.alert/v1",
        "tenant": tenant,
        "rule": "detection-changed",
        "version": version,
        "changed": list(fields),
        "by": by,
    }
    return _alert(tenant, f"detection-{version}", "Ringfence: what is done about findings was changed", text, document)


def _alert(tenant: Tenant, about: str, subject: str, text: str, document: dict[str, object]) -> Alert:
    # Derived from what it is about, so that an alert that is composed again after a crash is the same alert.
    identifier = Digest.of(f"{tenant}\0{about}".encode()).hex[:24]
    return Alert(identifier, tenant, about, subject[:200], text[:MAX_TEXT], document)
