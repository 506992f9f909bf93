"""Risks of the register in OSCAL: ids, scores, treatment and dates. What people wrote, and who, does not leave.

Titles, descriptions, plans, reasons, owners and names are no part of `Leaving`, so that no builder can print them.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json, Leaving, Scored
from ringfence.exports.parts import NAMESPACE, component_uuid, control_id, identify, moment, prop, props
from ringfence.governance.risks.model import Rating, Risk

STATEMENT = "What the risk is about is no part of this document: people wrote it, and it stands in the register."
RATED = "Rated by a person, whose statement the entry holds; 1 to 5 each, and the score is their product."


def leaving(risk: Risk, today: date) -> Leaving:
    """Return what may leave of a risk."""
    plan, given = risk.row.plan, risk.acceptance
    return Leaving(
        risk.id,
        risk.open,
        _scored(risk.row.rating),
        tuple(sorted({*risk.row.controls, *(plan.controls if plan else ())})),
        risk.row.threats,
        risk.row.review_on,
        risk.entries,
        plan.kind.value if plan else None,
        _scored(plan.residual) if plan else None,
        plan.due_on if plan else None,
        plan.done if plan else False,
        given.until if given and risk.accepted(today) else None,
    )


def _scored(rating: Rating) -> Scored:
    return Scored(rating.likelihood, rating.impact, rating.score, rating.level.value)


def risk_uuid(kind: Kind, facts: Facts, name: str) -> str:
    """Return the UUID of a risk in one of the documents; it stays the same from one export to the next."""
    return identify("risk", kind.value, facts.board.tenant, name)


def risks(kind: Kind, facts: Facts) -> list[Json]:
    """Return the risks of a document: of a plan, the open ones only."""
    return [_risk(kind, one, facts) for one in facts.risks if one.open or kind is not Kind.GAPS]


def related_risks(facts: Facts, control: str) -> Json:
    """Return the references of a plan to open risks that name a control; nothing where there are none."""
    named = [one for one in facts.risks if one.open and control in one.controls]
    references = [{"risk-uuid": risk_uuid(Kind.GAPS, facts, one.id)} for one in named]
    return {"related-risks": references} if references else {}


def unsettled(facts: Facts) -> Iterator[Leaving]:
    """Yield the open risks of which something is left to do or to decide: no acceptance of them is in force."""
    return (one for one in facts.risks if one.open and one.accepted_until is None)


def headline(risk: Leaving) -> str:
    """Return a risk in one sentence."""
    rated = f"Rated {risk.rating.level} ({risk.rating.score} of 25)"
    left = (
        f"; {risk.treatment}, of which {risk.residual.level} ({risk.residual.score}) is left" if risk.residual else ""
    )
    return f"{rated}{left}."


def _risk(kind: Kind, risk: Leaving, facts: Facts) -> Json:
    newest = risk.entries[-1]
    digest = str(facts.statements[newest].envelope.digest)
    found: Json = {
        "uuid": risk_uuid(kind, facts, risk.id),
        "title": f"Risk {risk.id}",
        "description": headline(risk),
        "statement": STATEMENT,
        "props": [
            *props(risk=risk.id, ledger_entry=newest, envelope_digest=digest, level=risk.rating.level),
            *props(review_on=str(risk.review_on), treatment=risk.treatment),
            *props(accepted_until=str(risk.accepted_until) if risk.accepted_until else None),
            *(prop("earlier-entry", entry) for entry in risk.entries[:-1]),
            *(prop(_word_for(name, facts), control_id(name)) for name in risk.controls),
            *(prop("threat", name) for name in risk.threats),
        ],
        "status": _status(risk),
        "characterizations": [_characterization(risk.rating, facts)],
    }
    return found | _treatment(kind, risk, facts)


def _word_for(control: str, facts: Facts) -> str:
    """Return how a control is named: a statement may be older than the rules, and name one that they know no more."""
    return "control" if any(control == one.id for one in facts.catalog.controls) else "former-control"


def _status(risk: Leaving) -> str:
    if not risk.open:
        return "closed"
    return "deviation-approved" if risk.accepted_until else "open"


def _characterization(rating: Scored, facts: Facts, stage: str = "initial") -> Json:
    values = {"likelihood": rating.likelihood, "impact": rating.impact, "score": rating.score}
    return {
        "origin": {"actors": [{"type": "tool", "actor-uuid": component_uuid(facts, "ringfence")}]},
        "facets": [
            {
                "name": name,
                "system": NAMESPACE,
                "value": str(value),
                "props": props(stage=stage),
                "remarks": RATED,
            }
            for name, value in values.items()
        ],
    }


def _treatment(kind: Kind, risk: Leaving, facts: Facts) -> Json:
    if risk.treatment is None or risk.residual is None:
        return {}
    names = (kind.value, facts.board.tenant, risk.id)
    response: Json = {
        "uuid": identify("treatment", *names),
        "lifecycle": "completed" if risk.done else "planned",
        "title": risk.treatment,
        "description": headline(risk),
        "props": props(
            residual_likelihood=risk.residual.likelihood,
            residual_impact=risk.residual.impact,
            residual_score=risk.residual.score,
            due_on=str(risk.due_on) if risk.due_on else None,
        ),
    }
    if risk.due_on is None:
        return {"remediations": [response]}
    deadline = moment(datetime.combine(risk.due_on, time(23, 59, 59), UTC))
    milestone = {
        "uuid": identify("milestone", *names),
        "type": "milestone",
        "title": f"Treatment of {risk.id} is done",
        "timing": {"on-date": {"date": deadline}},
    }
    return {"deadline": deadline, "remediations": [{**response, "tasks": [milestone]}]}
