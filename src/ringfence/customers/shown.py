"""Customers as every front end shows them: plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ringfence.customers import clauses, inheriting, leaf, register
from ringfence.customers.inheriting import Inherited
from ringfence.customers.model import Announced, Answered, Customer, Handed, Occasion, Register, Thing, ThingKind
from ringfence.incidents import clocks, views
from ringfence.incidents.model import Clock, Incident
from ringfence.kernel.clock import to_text


def line(one: Customer, known: Register) -> dict[str, Any]:
    """Return the line of a list."""
    packs = [made for made in known.packs if made.customer == one.id]
    asked = [each for each in known.answers if each.customer == one.id]
    return {
        "customer": one.id,
        "name": one.name or None,
        "regimes": [str(name) for name in one.regimes],
        "country": one.country or None,
        "notice_hours": notices(one, known),
        "clauses": list(one.clauses),
        "things": list(one.things),
        "last_pack": pack(packs[-1]) if packs else None,
        "last_questionnaire": questionnaire(asked[-1]) if asked else None,
    }


def whole(
    one: Customer,
    known: Register,
    found: Sequence[Inherited],
    here: Sequence[Thing],
    due: Sequence[tuple[Incident, Clock]] = (),
) -> dict[str, Any]:
    """Return everything about a customer."""
    called = {thing.name: thing.called for thing in here}
    return line(one, known) | {
        "reference": one.reference or None,
        "entered": {"entry": one.entry, "by": one.by, "at": to_text(one.changed_at)},
        "things": [{"thing": name, "called": called.get(name)} for name in one.things],
        "clauses": [clause(name) for name in one.clauses],
        "grounds": [ground(each) for each in inheriting.grounds(one)],
        "undetermined": inheriting.undetermined(one),
        "inherited": [control(each) for each in found],
        "inherited_counts": counts(found),
        "packs": [pack(made) for made in known.packs if made.customer == one.id],
        "questionnaires": [questionnaire(each) for each in known.answers if each.customer == one.id],
        "subprocessors": [subprocessor(told) for told in one.announced],
        "clocks": [clock(incident, each) for incident, each in due],
    }


def subprocessor(told: Announced) -> dict[str, Any]:
    """Return a subprocessor that was announced, with the earliest moment at which it may begin."""
    return {
        "subprocessor": told.subprocessor,
        "name": told.name or None,
        "announced_at": to_text(told.at),
        "hours": told.hours,
        "earliest": to_text(told.earliest) if told.earliest else None,
        "by": told.by,
        "entry": told.entry,
        "recorded_at": to_text(told.recorded_at),
    }


def clock(incident: Incident, one: Clock) -> dict[str, Any]:
    """Return a clock of an incident that runs for a customer."""
    return {"incident": incident.id, **views.clock(one), "command": clocks.command(one, incident.id)}


def entry(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of a customer in the form in which it is entered."""
    things: dict[str, list[str]] = {f"{kind}s": [] for kind in ThingKind}
    for one in document["things"]:
        kind, _, name = one["thing"].partition("/")
        things[f"{kind}s"].append(name)
    hours = {name: one["hours"] for name, one in document["notice_hours"].items() if one["agreed"]}
    return {
        "name": document["name"] or document["customer"],
        "reference": document["reference"] or "",
        "country": document["country"] or "",
        "regimes": document["regimes"],
        "clauses": [one["id"] for one in document["clauses"]],
        "hours": hours,
        **things,
    }


def notices(one: Customer, known: Register) -> dict[str, Any]:
    """Return the hours of each notice, and whether the contract names them."""
    found: dict[str, Any] = {str(Occasion.INCIDENT): asdict(register.notice(one.contracts[-1], known.profile))}
    for occasion in (Occasion.BREACH, Occasion.SUBPROCESSOR):
        if occasion in one.hours:
            found[str(occasion)] = {"hours": one.hours[occasion], "agreed": True, "basis": "the contract"}
    return found


def clause(name: str) -> dict[str, Any]:
    """Return a clause that is ticked; of one that a later edition no longer has, the id alone."""
    found = clauses.clauses().get(name)
    return ground(found) if found else {"id": name, "act": None, "provision": None, "topic": None}


def ground(one: clauses.Ground) -> dict[str, Any]:
    """Return why controls reach a customer."""
    return {
        "id": one.id,
        "act": one.act,
        "provision": one.provision,
        "topic": one.topic,
        "binds": one.binds,
        "source": one.source,
    }


def control(one: Inherited) -> dict[str, Any]:
    """Return a control that reaches a customer, with our status of it."""
    result = one.result
    return {
        "id": result.control.id,
        "title": result.control.title,
        "state": result.verdict.state.value,
        "reason": result.verdict.reason.value if result.verdict.reason else None,
        "weakest_strength": result.weakest.text if result.weakest is not None else None,
        "entries": len(result.entries),
        "why": [{"ground": why.ground.id, "by": list(why.by)} for why in one.why],
    }


def counts(found: Sequence[Inherited]) -> dict[str, int]:
    """Return how many of them are in each state."""
    states = [one.result.verdict.state.value for one in found]
    return {"controls": len(states)} | {state: states.count(state) for state in sorted(set(states))}


def pack(made: Handed) -> dict[str, Any]:
    """Return a pack; whether anybody opened it is not known here."""
    return {
        "number": made.entry,
        "at": to_text(made.at),
        "by": made.by,
        "report": made.report,
        "size": made.size,
        "root": made.root,
        "opened": None,
    }


def questionnaire(one: Answered) -> dict[str, Any]:
    """Return a questionnaire in numbers."""
    return {
        "entry": one.entry,
        "at": to_text(one.at),
        "questions": one.questions,
        "unmatched": one.unmatched,
        "no_evidence": one.without,
    }


def handed(one: Customer, made: Handed, data: bytes, text: str) -> Mapping[str, Any]:
    """Return a pack with the leaf that goes with it."""
    return {"pack": data.decode("ascii"), "leaf": text, "made": pack(made), "about": dict(leaf.document(one, made))}
