"""The state machine of an incident: recorded events in, the incident out. Pure; nothing is ever overwritten.

Each event carries the end of a chain over all before it, salted, so that statements can name what their signer saw
and a row that is changed or taken away shows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ringfence.incidents import codec, contracts, timeline
from ringfence.incidents import versions as versions_of
from ringfence.incidents.model import (
    Answer,
    Awareness,
    Correction,
    Entry,
    Event,
    Fact,
    FactKind,
    Filed,
    FindingFacts,
    Incident,
    IncidentId,
    Triage,
)
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import PersonId

# A detection of these severities opens an incident for somebody to look at; it says nothing about significance.
OPENING = frozenset({"medium", "high", "critical"})

# Findings of one rule that an incident lists: strangers choose how many addresses they come from, and every page folds
# the timeline. The others are in the log and under `ringfence findings list`.
MOST_OF_A_RULE = 100


def concerns(finding: FindingFacts) -> bool:
    """Tell whether a finding that belongs to no open incident opens one."""
    return finding.severity.lower() in OPENING


def is_news(incident: Incident, finding: FindingFacts) -> bool:
    """Tell whether a finding changes what is known: an ongoing one does each time that its count has doubled."""
    known = next((one for one in incident.findings if one.id == finding.id), None)
    if known is None:
        return sum(one.rule == finding.rule for one in incident.findings) < MOST_OF_A_RULE
    return finding.count >= 2 * known.count or finding.severity != known.severity


def fold(incident: IncidentId, events: Iterable[Event]) -> Incident:
    """Return the incident that its events tell; raise `InternalError` where the rows are not a timeline."""
    state: Incident | None = None
    for event in events:
        state = step(incident, state, event)
    if state is None:
        raise InternalError(f"the timeline of {incident} is empty")
    return state


def step(incident: IncidentId, state: Incident | None, event: Event) -> Incident:
    """Return the incident after one more event."""
    expected = len(state.timeline) + 1 if state else 1
    if event.position != expected or (state is None) != (event.kind == "opened"):
        raise InternalError(f"the timeline of {incident} has a gap or a double at position {expected}")
    if state is None:
        return _noted(_opened(incident, event), event)
    if event.kind not in _STEPS:
        raise InternalError(f"the timeline of {incident} has an unknown event {event.kind!r}")
    return _noted(_STEPS[event.kind](state, event), event)


def _noted(state: Incident, event: Event) -> Incident:
    end = timeline.link(state.head, event)
    entry = Entry(event.position, event.at, event.kind, timeline.words(event), event.by, event.envelope, end)
    return replace(state, timeline=(*state.timeline, entry))


def _opened(incident: IncidentId, event: Event) -> Incident:
    detected = from_text(event.body["detected_at"])
    state = Incident(incident, event.at, detected, untriaged_since=detected, envelope=event.envelope)
    state = replace(state, title=str(event.body.get("title", "")))
    if "node" in event.body:
        said = Fact(FactKind.NOTE, event.at, event.body["node"], "named by who declared the incident")
        state = replace(state, facts=(said,))
    for finding in event.body.get("findings", ()):
        state = _with_finding(state, codec.finding(finding))
    return _joined(state, event) if "part" in event.body else state


def _extended(state: Incident, event: Event) -> Incident:
    if "finding" in event.body:
        return _with_finding(state, codec.finding(event.body["finding"]))
    return replace(state, facts=(*state.facts, codec.fact(event.body["fact"])))


def _with_finding(state: Incident, finding: FindingFacts) -> Incident:
    known = {one.id: one for one in state.findings}
    new = finding.id not in known
    since = state.untriaged_since
    if new and not state.significant:
        # What a person called not significant is decided anew where something new is found.
        since = min(since, finding.detected_at) if since else finding.detected_at
    return replace(
        state,
        findings=tuple((known | {finding.id: finding}).values()),
        detected_at=min(state.detected_at, finding.detected_at),
        untriaged_since=since,
        title=state.title if state.title and not new else finding.title or finding.rule,
    )


def _triaged(state: Incident, event: Event) -> Incident:
    decision = triage_of(event)
    versions = list(state.awareness)
    if decision.significant:
        versions_of.move(versions, decision.aware_at, event, "", decision.reason)
    else:
        versions_of.withdraw(versions, event, "", decision.reason)
    named = {version.customer for version in versions if version.customer}
    for customer in decision.customers:
        versions_of.move(versions, decision.aware_at, event, customer, decision.reason)
    for customer in sorted(named - set(decision.customers)):
        versions_of.withdraw(versions, event, customer, decision.reason)
    _breach(versions, decision, event)
    reopened = _reopened(state, event)
    return replace(
        state,
        triages=(*state.triages, decision),
        awareness=tuple(versions),
        untriaged_since=None,
        handled=reopened,
    )


def _breach(versions: list[Awareness], decision: Triage, event: Event) -> None:
    """Start, move and end what counts for a breach, with the awareness that its customer is affected.

    Deciding that later gives no more time, and `unknown` ends nothing that runs.
    """
    known = {one.customer: one.value for one in versions if one.breach}  # the newest of each
    running = {customer for customer, value in known.items() if value}
    undecided = decision.personal_data is Answer.UNKNOWN
    wanted = running & set(decision.customers) if undecided else set(decision.breached)
    for customer in sorted(wanted):
        aware_at = versions_of.earliest(versions, customer)
        versions_of.move(versions, aware_at, event, customer, decision.reason, breach=True)
    for customer in sorted(running - wanted):
        versions_of.withdraw(versions, event, customer, decision.reason, breach=True)


def triage_of(event: Event) -> Triage:
    """Return the decision that an event holds."""
    claims, reason = event.body["claims"], event.body["details"]["reason"]
    times = {name: from_text(claims[name]) for name in ("awareAt", "occurredAt") if name in claims}
    return Triage(
        by=PersonId(event.by),
        decided_at=event.at,
        significant=claims["significant"],
        criteria=tuple(claims["criteria"]),
        reason=reason,
        aware_at=times.get("awareAt"),
        detected_at=from_text(claims["detectedAt"]),
        occurred_at=times.get("occurredAt"),
        malicious=Answer(claims["malicious"]),
        cross_border=Answer(claims["crossBorder"]),
        customers=tuple(claims["customers"]),
        measured=dict(claims["measured"]),
        envelope=event.envelope,
        personal_data=Answer(claims.get("personalData", Answer.UNKNOWN)),
        breached=tuple(claims.get("breached", ())),
    )


def _reopened(state: Incident, event: Event) -> tuple[Awareness, ...]:
    if state.closing is None:
        return state.handled
    return (*state.handled, Awareness(None, event.at, PersonId(event.by), "decided anew"))


def _corrected(state: Incident, event: Event) -> Incident:
    claims, details = event.body["claims"], event.body["details"]
    what, reason, by = claims["field"], details["reason"], PersonId(event.by)
    old = value_of(state, what)
    new = claims.get("value") or details.get("value", "")
    noted = Correction(what, old, new, by, event.at, reason, event.envelope)
    state = replace(state, corrections=(*state.corrections, noted))
    match what:
        case "aware-at":
            return replace(state, awareness=versions_of.corrected(state.awareness, from_text(new), event, reason))
        case "detected-at":
            at = from_text(new)
            since = state.untriaged_since and min(state.untriaged_since, at)  # a later value gives no more time
            return replace(state, detected_at=at, untriaged_since=since)
        case "occurred-at":
            last = replace(state.triages[-1], occurred_at=from_text(new))
            return replace(state, triages=(*state.triages[:-1], last))
        case _:
            return replace(state, told={**state.told, what: (new, by)})


def value_of(state: Incident, what: str) -> str:
    """Return the value of a field that can be corrected, as text; empty where there is none."""
    last = state.triage
    match what:
        case "aware-at":
            now = versions_of.current(state.awareness)
            at = now.value if now else None
        case "detected-at":
            at = state.detected_at
        case "occurred-at":
            at = last.occurred_at if last else None
        case _:
            return state.told[what][0] if what in state.told else ""
    return to_text(at) if at else ""


def _joined(state: Incident, event: Event) -> Incident:
    """Take over another incident's facts, reports and decisions; the earliest awareness wins."""
    part = event.body["part"]
    for finding in map(codec.finding, part["findings"]):
        state = _with_finding(state, finding)
    theirs = tuple(map(codec.awareness, part["awareness"]))
    versions = list(state.awareness)
    for customer, breach in dict.fromkeys((version.customer, version.breach) for version in theirs):
        now = versions_of.current(theirs, customer, breach=breach)
        if not versions:
            versions += theirs  # a split: each part keeps the history
            break
        if now and now.value:
            versions_of.move(versions, now.value, event, customer, f"merged with {part['incident']}", breach=breach)
    triages = tuple(map(codec.triage, part["triages"]))
    merged = state.triages if state.significant or not triages else (*state.triages, *triages)
    decided = versions_of.current(versions)
    since = [at for at in (state.untriaged_since, part["untriaged_since"] and from_text(part["untriaged_since"])) if at]
    return replace(
        state,
        facts=(*state.facts, *(fact for fact in map(codec.fact, part["facts"]) if fact not in state.facts)),
        triages=merged,
        awareness=tuple(versions),
        filed=(*state.filed, *map(codec.filed, part["filed"])),
        detected_at=min(state.detected_at, from_text(part["detected_at"])),
        untriaged_since=None if decided and decided.value else min(since, default=None),
    )


def _split(state: Incident, event: Event) -> Incident:
    gone = set(event.body["claims"]["findings"])
    return replace(state, findings=tuple(one for one in state.findings if one.id not in gone))


def _absorbed(state: Incident, event: Event) -> Incident:
    return replace(state, merged_into=IncidentId(event.body["into"]), untriaged_since=None)


_NOTICES = {"noticed": contracts.NOTICE, "breach-noticed": contracts.BREACH}


def _reported(state: Incident, event: Event) -> Incident:
    claims, details = event.body["claims"], event.body["details"]
    one = Filed(
        stage=claims.get("stage", _NOTICES.get(event.kind, "")),
        at=from_text(claims.get("filedAt") or claims["sentAt"]),
        by=PersonId(event.by),
        recorded_at=event.at,
        addressee=details.get("to") or claims.get("addressee", ""),
        reference=details["reference"],
        receipt=claims["receipt"],
        envelope=event.envelope,
        customer=claims.get("customer", ""),
    )
    return replace(state, filed=(*state.filed, one))


def _closed(state: Incident, event: Event) -> Incident:
    at, reason = from_text(event.body["claims"]["handledAt"]), event.body["details"]["reason"]
    return replace(state, handled=(*state.handled, Awareness(at, event.at, PersonId(event.by), reason)))


def _warned(state: Incident, event: Event) -> Incident:
    return replace(state, warned=state.warned | {event.body["warning"]})


_STEPS: Mapping[str, Callable[[Incident, Event], Incident]] = {
    "extended": _extended,
    "triaged": _triaged,
    "corrected": _corrected,
    "merged": _joined,
    "split": _split,
    "absorbed": _absorbed,
    "reported": _reported,
    "noticed": _reported,
    "breach-noticed": _reported,
    "closed": _closed,
    "warned": _warned,
}
