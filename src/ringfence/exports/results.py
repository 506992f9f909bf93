"""OSCAL assessment results: statements as observations, computed states as findings; nobody types one in.

OSCAL knows two states. Whatever is not satisfied now is not-satisfied: stale, missing and pending evidence too, each
with its reason.
"""

from collections.abc import Iterable

from ringfence.exports.evidence import ABOUT_SCOPE, Cited, cited, observations, related, resources
from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import (
    control_id,
    document,
    identify,
    line,
    moment,
    objective_id,
    prop,
    props,
    selected,
    statement_id,
)
from ringfence.exports.risks import risks
from ringfence.obligations.results import Board, ControlResult, Reason, RequirementResult, State, Verdict

REMARKS = (
    "Every finding was computed from the signed statements that it names, by the rules whose digest is the version of "
    "this document. There is no finding about an obligation itself: that controls which serve it are satisfied does "
    "not show that it is met. What a finding does not prove stands with it."
)
_FAILED = (Reason.FAILED, Reason.CONTRADICTED)


def _counted(board: Board) -> str:
    satisfied = board.count(State.SATISFIED)
    said = f"{satisfied} of {board.denominator} controls are satisfied; every gap counts."
    if not board.set_aside:
        return said
    whole = board.denominator + board.set_aside
    return f"{said} {board.set_aside} are set aside by signed reasons; with these it is {satisfied} of {whole}."


def results(facts: Facts) -> Json:
    """Return the assessment results of a board."""
    board, counts = facts.board, {state: facts.board.count(state) for state in State}
    at = moment(board.as_of)
    found: Json = {
        "uuid": identify("result", board.tenant, str(board.rules), str(at)),
        "title": line(f"Status of {board.tenant} as of {at}"),
        "description": _counted(board),
        "start": at,
        "end": at,
        "props": [prop(f"count-{state.value}", number) for state, number in counts.items()],
        "reviewed-controls": selected(facts),
        "observations": list(observations(facts)),
        "risks": risks(Kind.RESULTS, facts),
        "findings": [one for result in facts.assessed for one in _findings(result, facts)],
    }
    body: Json = {
        "import-ap": {"href": Kind.PLAN.file},
        "results": [{name: value for name, value in found.items() if value != []}],
        **back_matter(resources(facts)),
    }
    return document(Kind.RESULTS, facts, f"Computed status of {board.tenant}", body, REMARKS)


def back_matter(found: list[Json]) -> Json:
    """Return the back matter, or nothing where it would be empty, which OSCAL does not allow."""
    return {"back-matter": {"resources": found}} if found else {}


def finding_uuid(facts: Facts, name: str) -> str:
    """Return the UUID of the finding about a control or a requirement at the time of the board."""
    return identify("finding", facts.board.tenant, str(facts.board.rules), str(moment(facts.board.as_of)), name)


def cited_by(result: ControlResult) -> Iterable[Cited]:
    """Return every statement that a control's status is explained by."""
    named = [one for part in result.requirements for one in cited(part)]
    return (*named, *(Cited(entry, ABOUT_SCOPE) for entry in result.entries if entry not in {c.entry for c in named}))


def related_observations(facts: Facts, found: Iterable[Cited]) -> Json:
    """Return the references to observations, or nothing where there are none, which OSCAL does not allow either."""
    references = related(facts, found)
    return {"related-observations": references} if references else {}


def _findings(result: ControlResult, facts: Facts) -> list[Json]:
    return [_of_control(result, facts), *(_of_requirement(part, facts) for part in facts.counted(result))]


def _of_control(result: ControlResult, facts: Facts) -> Json:
    control = result.control
    found = _finding(control.id, "statement-id", statement_id(control.id), result.verdict, facts)
    return {
        **found,
        "title": line(f"{control.id}: {control.title}"),
        "props": [
            *found["props"],
            *props(control=control_id(control.id), weakest_strength=result.weakest.text if result.weakest else None),
            *props(next_step=result.next_step),
            *(prop("obligation", name) for name in control.obligations),
        ],
        **related_observations(facts, cited_by(result)),
        "remarks": "\n\n".join(("Does not prove:", *control.does_not_prove)),
    }


def _of_requirement(part: RequirementResult, facts: Facts) -> Json:
    rule = part.requirement
    found = _finding(rule.id, "objective-id", objective_id(rule.id), part.verdict, facts)
    extra = [*props(control=control_id(rule.control)), *props(ignored_total=part.ignored_total or None)]
    return {
        **found,
        "title": line(f"{rule.id}: {rule.asks}"),
        "props": [*found["props"], *extra],
        **related_observations(facts, cited(part)),
    }


def _finding(name: str, kind: str, target: str, verdict: Verdict, facts: Facts) -> Json:
    return {
        "uuid": finding_uuid(facts, name),
        "title": name,
        "description": verdict.because,
        "props": props(
            state=verdict.state.value,
            reason=verdict.reason.value if verdict.reason else None,
            next_change=moment(verdict.next_change),
        ),
        "target": {"type": kind, "target-id": target, "status": _status(verdict)},
    }


def _status(verdict: Verdict) -> Json:
    if verdict.state is State.SATISFIED:
        return {"state": "satisfied", "reason": "pass", "remarks": verdict.because}
    reason = "fail" if verdict.reason in _FAILED else "other"
    word = verdict.reason.value if verdict.reason else verdict.state.value
    return {"state": "not-satisfied", "reason": reason, "remarks": f"{word}: {verdict.because}"}
