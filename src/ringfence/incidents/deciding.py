"""Whether a signed act can be taken: what was seen is what is there, times are past, codes bind. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ringfence.incidents import versions
from ringfence.incidents.acts import BREACH_NOTICE, TIMES, TOLD
from ringfence.incidents.model import Answer, Incident, incident_id
from ringfence.incidents.reading import Act
from ringfence.incidents.terms import Customer, Regime, Threshold
from ringfence.incidents.timeline import START
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound


def check_seen(incident: Incident, act: Act) -> None:
    """Return where the signer saw a beginning of this very timeline."""
    if incident.merged_into:
        raise Conflict(f"{incident.id} was merged into {incident.merged_into}; act on that one")
    ends: dict[int, Digest] = {entry.position: entry.link for entry in incident.timeline} | {0: START}
    if ends.get(act.seen) != act.timeline:
        raise Conflict(f"the timeline of {incident.id} is not the one that was signed; look at it again and sign anew")


def check_triage(
    incident: Incident, act: Act, thresholds: Iterable[Threshold], customers: Iterable[Customer], now: datetime
) -> None:
    """Return where a decision on significance is complete and names only what binds."""
    claims = act.claims
    significant, codes, named = claims["significant"], claims["criteria"], claims["customers"]
    known = {threshold.code for threshold in thresholds}
    if significant != bool(codes):
        raise MalformedInput("a significant incident names the criteria that it meets, and another names none")
    for code in codes:
        if code not in known:
            raise MalformedInput(f"{code} does not bind here; the criteria are {', '.join(sorted(known))}")
    check_customers(named, customers)
    _check_breach(claims)
    if ("awareAt" in claims) != (significant or bool(named)):
        raise MalformedInput(
            "awareAt says since when a significant incident, or one of a customer, is known; else none"
        )
    if from_text(claims["detectedAt"]) != incident.detected_at:
        raise Conflict(
            f"{incident.id} was detected at {to_text(incident.detected_at)}; correct that by an act of its own"
        )
    check_past(claims, ("awareAt", "occurredAt", "triagedAt"), now)


def _check_breach(claims: Mapping[str, Any]) -> None:
    breached = claims.get("breached", [])
    if breached and claims.get("personalData") != Answer.YES:
        raise MalformedInput("only where personal data is affected is there a customer whose personal data is affected")
    if not set(breached) <= set(claims["customers"]):
        raise MalformedInput("whose personal data is affected is affected: name them among the customers, too")


def check_customers(named: Iterable[str], customers: Iterable[Customer]) -> None:
    """Return where every customer is known."""
    known = {customer.id for customer in customers}
    for one in named:
        if one not in known:
            raise NotFound(f"no customer {one} is known here; known are {', '.join(sorted(known)) or 'none'}")


def check_past(claims: Mapping[str, Any], names: Iterable[str], now: datetime) -> None:
    """Return where none of the times lies in the future."""
    for name in names:
        if name in claims and from_text(claims[name]) > now:
            raise MalformedInput(f"{name} is {claims[name]}, which is in the future: it is {to_text(now)}")


def check_report(incident: Incident, act: Act, regime: Regime, now: datetime) -> None:
    """Return where a report of a stage can have been filed."""
    stages = {stage.id for stage in regime.stages}
    if act.claims["stage"] not in stages:
        raise NotFound(f"{act.claims['stage']} is no report of {regime.id}; there are {', '.join(sorted(stages))}")
    if versions.earliest(incident.awareness) is None:
        raise Conflict("nobody has decided that this incident is significant: `ringfence incident triage` comes first")
    _check_sent(incident, act, "filedAt", now)


def check_notice(incident: Incident, act: Act, customers: Iterable[Customer], now: datetime) -> None:
    """Return where a customer can have been told."""
    customer = act.claims["customer"]
    check_customers([customer], customers)
    if versions.earliest(incident.awareness, customer) is None:
        raise Conflict(f"nobody has decided that {customer} is affected: name it in `ringfence incident triage`")
    breach = act.predicate == BREACH_NOTICE
    if breach and versions.earliest(incident.awareness, customer, breach=True) is None:
        raise Conflict(f"nobody has decided that personal data of {customer} is affected: `--personal-data yes` does")
    _check_sent(incident, act, "sentAt", now)


def _check_sent(incident: Incident, act: Act, name: str, now: datetime) -> None:
    check_past(act.claims, (name,), now)
    if from_text(act.claims[name]) < incident.detected_at:
        raise MalformedInput(f"{name} lies before the detection at {to_text(incident.detected_at)}")


def check_closing(incident: Incident, act: Act, now: datetime) -> None:
    """Return where an incident can be called handled."""
    if incident.untriaged_since is not None:
        raise Conflict("nobody has decided on significance yet: `ringfence incident triage` comes first")
    if incident.closing is not None:
        raise Conflict(f"{incident.id} is closed already")
    _check_sent(incident, act, "handledAt", now)


_WITH: Mapping[str, str] = {**dict.fromkeys(TIMES, "value"), "merge": "other", "split": "findings"}


def check_correction(incident: Incident, act: Act, now: datetime) -> None:
    """Return where a correction has what its field needs, and there is something to correct."""
    what, claims, details = act.claims["field"], act.claims, act.details
    given = {name for name in ("value", "other", "findings") if name in claims}
    if given != ({_WITH[what]} if what in _WITH else set()):
        raise MalformedInput(f"a correction of {what} has the claim {_WITH.get(what, 'that its page names')}")
    if (what in TOLD) != ("value" in details):
        raise MalformedInput("the text of a field stands in the details, and only that")
    check_past(claims, ("value",), now)
    if what == "aware-at" and versions.earliest(incident.awareness) is None:
        raise Conflict("there is no awareness to correct: `ringfence incident triage` comes first")
    if what == "occurred-at" and incident.triage is None:
        raise Conflict("the time of occurrence is part of a triage, and there is none yet")
    if what == "split":
        _check_split(incident, claims["findings"])
    if what == "merge" and incident_id(claims["other"]) == incident.id:
        raise MalformedInput("an incident is not merged with itself")


def _check_split(incident: Incident, named: list[str]) -> None:
    known = {finding.id for finding in incident.findings}
    if not named or not set(named) < known:
        raise MalformedInput(f"a split names some, not all, of the findings {', '.join(sorted(known)) or '(none)'}")
