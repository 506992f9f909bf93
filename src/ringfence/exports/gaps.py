"""The OSCAL plan of action and milestones: every gap with the cheapest next step; no date that nobody set."""

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json, Leaving
from ringfence.exports.parts import control_id, document, identify, line, moment, props
from ringfence.exports.results import cited_by, finding_uuid, related_observations
from ringfence.exports.risks import headline, related_risks, risk_uuid, risks, unsettled
from ringfence.obligations.results import OPEN, ControlResult

REMARKS = (
    "One item for each control that is not satisfied, computed with the assessment results beside this file, and one "
    "for each open risk that nobody accepted. A milestone is a date that a person signed for the treatment of a risk; "
    "there are no others. An item leaves the list when signed evidence comes in, and by nothing else."
)


def gaps(facts: Facts) -> Json | None:
    """Return the plan of a board; None where nothing is open, for OSCAL knows no empty plan."""
    items = [_item(result, facts) for result in facts.assessed if result.verdict.state in OPEN]
    items += [_of_risk(risk, facts) for risk in unsettled(facts)]
    if not items:
        return None
    named = risks(Kind.GAPS, facts)
    body: Json = {"import-ssp": {"href": Kind.SYSTEM.file}, **({"risks": named} if named else {}), "poam-items": items}
    return document(Kind.GAPS, facts, f"What is open for {facts.board.tenant}", body, REMARKS)


def _item(result: ControlResult, facts: Facts) -> Json:
    control, verdict = result.control, result.verdict
    failing = [part.requirement.id for part in facts.counted(result) if part.verdict.state in OPEN]
    return {
        "uuid": identify("gap", facts.board.tenant, str(moment(facts.board.as_of)), control.id),
        "title": line(f"{control.id}: {control.title}"),
        "description": verdict.because,
        "props": [
            *props(control=control_id(control.id), state=verdict.state.value),
            *props(reason=verdict.reason.value if verdict.reason else None, next_step=result.next_step),
        ],
        "related-findings": [{"finding-uuid": finding_uuid(facts, name)} for name in (control.id, *failing)],
        **related_observations(facts, cited_by(result)),
        **related_risks(facts, control.id),
    }


def _of_risk(risk: Leaving, facts: Facts) -> Json:
    return {
        "uuid": identify("risk-item", facts.board.tenant, str(moment(facts.board.as_of)), risk.id),
        "title": f"Risk {risk.id}",
        "description": headline(risk),
        "props": props(risk=risk.id, treatment=risk.treatment, due_on=str(risk.due_on) if risk.due_on else None),
        "related-risks": [{"risk-uuid": risk_uuid(Kind.GAPS, facts, risk.id)}],
    }
