"""What is signed about risks: ratings and dates are claims, titles, texts and names of owners are details. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.governance import reading
from ringfence.governance.risks.model import STEPS, Plan, Rating, RiskId, Row, Treatment, risk_id
from ringfence.governance.signed import subject
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength

REGISTERED = PredicateName("risk.registered")
TREATED = PredicateName("risk.treated")
REVIEWED = PredicateName("risk.reviewed")
ACCEPTED = PredicateName("risk.accepted")
ALL = (REGISTERED, TREATED, REVIEWED, ACCEPTED)
MAX_ROWS = 500

_ROW = ("risk", "likelihood", "impact", "owner", "owned", "threats", "controls", "reviewOn")
_PLAN = ("kind", "residualLikelihood", "residualImpact", "controls", "dueOn", "done")
_REVIEW = ("risk", "likelihood", "impact", "owner", "owned", "reviewOn", "closed")
_ACCEPTANCE = ("risk", "basis", "residualLikelihood", "residualImpact", "until")


@dataclass(frozen=True, slots=True)
class Known:
    """What a risk can name."""

    controls: Collection[str]
    threats: Collection[str]


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody found who looked at a risk again."""

    risk: RiskId
    rating: Rating
    owner: PersonId | None
    owned: bool
    review_on: date
    closed: bool
    note: str = ""
    owner_words: str = ""


@dataclass(frozen=True, slots=True)
class Accepting:
    """What management signs about one risk."""

    risk: RiskId
    basis: Digest
    residual: Rating
    until: date
    reason: str = ""


def registered(rows: Iterable[Row]) -> Draft:
    """Return what somebody signs who enters risks: all of them, or none."""
    entered = tuple(rows)
    if not 1 <= len(entered) <= MAX_ROWS:
        raise MalformedInput(f"1 to {MAX_ROWS} risks are entered at once, not {len(entered)}")
    claims = {"risks": [_row_claims(row) for row in entered]}
    details = {"risks": {row.id: _row_details(row) for row in entered}}
    return Draft(REGISTERED, tuple(subject(row.id) for row in entered), claims, Strength.DOCUMENTED, details)


def treated(risk: RiskId, plan: Plan) -> Draft:
    """Return what somebody signs who decides how a risk is treated."""
    claims = {"risk": risk, **_plan_claims(plan)}
    return Draft(TREATED, (subject(risk),), claims, Strength.DOCUMENTED, {"plan": plan.text})


def reviewed(review: Review) -> Draft:
    """Return what somebody signs who looked at a risk again."""
    claims = {
        "risk": review.risk,
        **_rating("", review.rating),
        "owner": review.owner or "",
        "owned": review.owned,
        "reviewOn": str(review.review_on),
        "closed": review.closed,
    }
    details = {"note": review.note} | ({"owner": review.owner_words} if review.owner_words else {})
    return Draft(REVIEWED, (subject(review.risk),), claims, Strength.DOCUMENTED, details)


def accepted(one: Accepting) -> Draft:
    """Return what management signs that accepts what is left of a risk."""
    claims = {
        "risk": one.risk,
        "basis": str(one.basis),
        **_rating("residual", one.residual),
        "until": str(one.until),
    }
    return Draft(ACCEPTED, (subject(one.risk),), claims, Strength.DOCUMENTED, {"reason": one.reason})


def _rating(prefix: str, rating: Rating) -> dict[str, Any]:
    names = ("residualLikelihood", "residualImpact") if prefix else ("likelihood", "impact")
    return dict(zip(names, (rating.likelihood, rating.impact), strict=True))


def _row_claims(row: Row) -> dict[str, Any]:
    claims = {
        "risk": row.id,
        **_rating("", row.rating),
        "owner": row.owner or "",
        "owned": row.owned,
        "threats": list(row.threats),
        "controls": list(row.controls),
        "reviewOn": str(row.review_on),
    }
    return claims | ({"treatment": _plan_claims(row.plan)} if row.plan else {})


def _row_details(row: Row) -> dict[str, str]:
    texts = {"title": row.title, "text": row.text, "owner": row.owner_words, "plan": row.plan.text if row.plan else ""}
    return {name: text for name, text in texts.items() if text}


def _plan_claims(plan: Plan) -> dict[str, Any]:
    return {
        "kind": plan.kind.value,
        **_rating("residual", plan.residual),
        "controls": list(plan.controls),
        "dueOn": str(plan.due_on) if plan.due_on else "",
        "done": plan.done,
    }


def parse_registered(claims: Mapping[str, Any], details: Mapping[str, Any], known: Known | None) -> tuple[Row, ...]:
    """Read the rows of a statement; what it names is looked up only where `known` is given."""
    rows = reading.fields(dict(claims), "claims", ("risks",))["risks"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        raise MalformedInput(f"has 1 to {MAX_ROWS} rows", source="risks")
    texts = details.get("risks", {})
    found = tuple(parse_row(row, texts if isinstance(texts, dict) else {}, known) for row in rows)
    if len({row.id for row in found}) != len(found):
        raise MalformedInput("names a risk twice", source="risks")
    return found


def parse_row(value: object, texts: Mapping[str, Any], known: Known | None) -> Row:
    """Read one row with its texts."""
    row = reading.fields(value, "risk", _ROW, ("treatment",))
    name = risk_id(row["risk"])
    own = texts.get(name, {})
    said = own if isinstance(own, dict) else {}
    return Row(
        name,
        _read_rating(row, "likelihood", "impact"),
        reading.person(row["owner"], "owner"),
        reading.yes(row["owned"], "owned"),
        _names(row["threats"], "threats", known.threats if known else None),
        _names(row["controls"], "controls", known.controls if known else None),
        reading.day(row["reviewOn"], "reviewOn"),
        str(said.get("title", "")),
        str(said.get("text", "")),
        str(said.get("owner", "")),
        parse_plan(row["treatment"], str(said.get("plan", "")), known) if "treatment" in row else None,
    )


def parse_plan(value: object, text: str, known: Known | None) -> Plan:
    """Read a treatment."""
    plan = reading.fields(value, "treatment", _PLAN)
    if plan["kind"] not in list(Treatment):
        raise MalformedInput(f"is one of {', '.join(Treatment)}", source="kind")
    kind, done = Treatment(plan["kind"]), reading.yes(plan["done"], "done")
    due = reading.day(plan["dueOn"], "dueOn") if plan["dueOn"] else None
    if due is None and not done and kind is not Treatment.ACCEPT:
        raise MalformedInput("a treatment that is not done yet has a date", source="dueOn")
    controls = _names(plan["controls"], "controls", known.controls if known else None)
    residual = _read_rating(plan, "residualLikelihood", "residualImpact")
    return Plan(kind, residual, controls, due, done, text)


def parse_treated(
    claims: Mapping[str, Any], details: Mapping[str, Any], known: Known | None = None
) -> tuple[RiskId, Plan]:
    """Read what somebody decided about a risk."""
    whole = reading.fields(dict(claims), "claims", ("risk", *_PLAN))
    plan = {name: whole[name] for name in _PLAN}
    return risk_id(whole["risk"]), parse_plan(plan, str(details.get("plan", "")), known)


def parse_reviewed(claims: Mapping[str, Any], details: Mapping[str, Any]) -> Review:
    """Read what somebody found who looked at a risk again."""
    read = reading.fields(dict(claims), "claims", _REVIEW)
    return Review(
        risk_id(read["risk"]),
        _read_rating(read, "likelihood", "impact"),
        reading.person(read["owner"], "owner"),
        reading.yes(read["owned"], "owned"),
        reading.day(read["reviewOn"], "reviewOn"),
        reading.yes(read["closed"], "closed"),
        str(details.get("note", "")),
        str(details.get("owner", "")),
    )


def parse_accepted(claims: Mapping[str, Any], details: Mapping[str, Any]) -> Accepting:
    """Read what management accepted."""
    read = reading.fields(dict(claims), "claims", _ACCEPTANCE)
    return Accepting(
        risk_id(read["risk"]),
        Digest.parse(read["basis"]),
        _read_rating(read, "residualLikelihood", "residualImpact"),
        reading.day(read["until"], "until"),
        str(details.get("reason", "")),
    )


def _read_rating(record: Mapping[str, Any], likelihood: str, impact: str) -> Rating:
    return Rating(*(reading.whole(record[name], name, 1, STEPS) for name in (likelihood, impact)))


def _names(value: object, what: str, known: Collection[str] | None) -> tuple[str, ...]:
    given = value if isinstance(value, list) else []
    return reading.names(value, what, [one for one in given if isinstance(one, str)] if known is None else known)
