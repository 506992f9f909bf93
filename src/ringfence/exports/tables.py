"""A status as tables: the statement of applicability, and one line for each rule. For people and spreadsheets."""

from collections.abc import Iterable, Mapping, Sequence

from ringfence.exports.model import Facts, Json
from ringfence.exports.parts import moment
from ringfence.frontends import spreadsheet
from ringfence.kernel.statement import Strength
from ringfence.obligations.duties import may_bind
from ringfence.obligations.results import APART, ControlResult, Duty, RequirementResult, Standing, State, Verdict

_FRAMEWORKS = ("iso_27001_2022", "bsi_c5_2020", "secnumcloud_3_2")
Row = dict[str, str]


def applicability(facts: Facts) -> list[Row]:
    """Return the statement of applicability: every control of the catalogue, whether it applies, and why or why not."""
    return [_applies(result, facts) for result in facts.board.controls]


def rules(facts: Facts) -> list[Row]:
    """Return one line for each rule of each control, with what it came to."""
    return [_rule(result, part, facts) for result in facts.board.controls for part in result.requirements]


def to_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Print rows below the names of their columns."""
    return spreadsheet.to_csv([list(rows[0]), *(list(row.values()) for row in rows)] if rows else [])


def head(facts: Facts) -> Json:
    """Return what a table is about."""
    board = facts.board
    return {
        "tenant": board.tenant,
        "as_of": moment(board.as_of),
        "rules": str(board.rules),
        "log": facts.log,
        "demo": board.demo,
    }


def _applies(result: ControlResult, facts: Facts) -> Row:
    control = result.control
    return {
        "control": control.id,
        "title": control.title,
        "domain": control.domain,
        "applicable": _word(result, facts),
        "because": _because(result, facts),
        "obligations": " ".join(d.obligation.id for d in result.duties if may_bind(d, facts.board.as_of)),
        **_verdict(result.verdict, result.weakest),
        "next_step": result.next_step or "",
        "evidence": _numbers(result.entries),
        "does_not_prove": " ".join(control.does_not_prove),
        **{name: " ".join(control.maps.get(name, ())) for name in _FRAMEWORKS},
        **_about(facts),
    }


def _word(result: ControlResult, facts: Facts) -> str:
    """Say whether a control applies; `undetermined` where no binding duty asks for it and the scope leaves one open."""
    match result.verdict.state:
        case State.NOT_APPLICABLE:
            return "no"
        case State.UPCOMING:
            return "not yet"
        case _:
            pass
    standings = {duty.standing for duty in result.duties if may_bind(duty, facts.board.as_of)}
    return "undetermined" if standings == {Standing.UNDETERMINED} else "yes"


def _because(result: ControlResult, facts: Facts) -> str:
    if result.verdict.state in APART:
        return result.verdict.because
    asked = [duty for duty in result.duties if may_bind(duty, facts.board.as_of)]
    if not asked:
        return "it serves definitions and rules of scope, which other duties rest on"
    return "; ".join(_grouped(asked))


def _grouped(asked: Iterable[Duty]) -> Iterable[str]:
    """Return each reason once, with the acts that it holds for."""
    acts: dict[str, list[str]] = {}
    for duty in asked:
        known = acts.setdefault(duty.because, [])
        if duty.obligation.act not in known:
            known.append(duty.obligation.act)
    return (f"{', '.join(names)}: {because}" for because, names in acts.items())


def _rule(result: ControlResult, part: RequirementResult, facts: Facts) -> Row:
    rule = part.requirement
    return {
        "control": result.control.id,
        "rule": rule.id,
        "asks": rule.asks,
        "evidence_type": rule.evidence,
        "issuers": " ".join(sorted(role.value for role in rule.issuers)),
        "strength_asked": rule.strength.text,
        "freshness_days": str(rule.freshness.days) if rule.freshness else "",
        "freshness_basis": rule.freshness_basis,
        **_verdict(part.verdict, part.weakest),
        "evidence": _numbers(support.entry for support in part.rests_on),
        "next_step": part.next_step,
        **_about(facts),
    }


def _verdict(verdict: Verdict, weakest: Strength | None) -> Row:
    return {
        "state": verdict.state.value,
        "reason": verdict.reason.value if verdict.reason else "",
        "explanation": verdict.because,
        "next_change": moment(verdict.next_change) or "",
        "weakest_strength": weakest.text if weakest else "",
    }


def _numbers(entries: Iterable[int]) -> str:
    return " ".join(map(str, entries))


def _about(facts: Facts) -> Row:
    said = head(facts)
    return {"data": "demo" if said["demo"] else "real", "as_of": str(said["as_of"]), "rules": str(said["rules"])}
