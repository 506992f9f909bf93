"""The risk register as a fold: from what people signed to every risk. What breaks a rule changes nothing. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from ringfence.governance import reading
from ringfence.governance.risks import statements
from ringfence.governance.risks.model import Acceptance, Risk, RiskId, Row
from ringfence.governance.signed import Said, agrees
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId


def fold(said: Iterable[Said]) -> dict[RiskId, Risk]:
    """Return every risk that was ever entered; closed ones stay."""
    found: dict[RiskId, Risk] = {}
    basis: dict[RiskId, Said] = {}
    for one in said:
        try:
            changed = _changed(found, basis, one)
        except MalformedInput:
            continue
        for risk in changed:
            found[risk.id] = risk
            if risk.basis == one.envelope:
                basis[risk.id] = one
    return found


def _changed(found: Mapping[RiskId, Risk], basis: Mapping[RiskId, Said], one: Said) -> list[Risk]:
    match one.predicate:
        case statements.REGISTERED:
            rows = statements.parse_registered(one.claims, one.details, None)
            return [_entered(row, one) for row in rows if row.id not in found]
        case statements.TREATED:
            name, plan = statements.parse_treated(one.claims, one.details)
            risk = found.get(name)
            return [_moved(risk, replace(risk.row, plan=plan), one, plan.text)] if risk and risk.open else []
        case statements.REVIEWED:
            return _after_review(found, one)
        case _:
            return _after_acceptance(found, basis, one)


def _entered(row: Row, one: Said) -> Risk:
    return Risk(row, one.by, one.at, (one.entry,), one.envelope, one.by)


def _moved(risk: Risk, row: Row, one: Said, note: str) -> Risk:
    """Return a risk whose rating or treatment changed: what was accepted before, was accepted of another risk."""
    return replace(
        risk,
        row=row,
        entries=(*risk.entries, one.entry),
        basis=one.envelope,
        basis_by=one.by,
        acceptance=None,
        notes=_noted(risk, one, note),
    )


def _after_review(found: Mapping[RiskId, Risk], one: Said) -> list[Risk]:
    review = statements.parse_reviewed(one.claims, one.details)
    risk = found.get(review.risk)
    if risk is None or not risk.open:
        return []
    row = replace(
        risk.row,
        rating=review.rating,
        owner=review.owner,
        owned=review.owned,
        review_on=review.review_on,
        owner_words=review.owner_words or risk.row.owner_words,
    )
    same = (row.rating, row.owner) == (risk.row.rating, risk.row.owner)
    seen = replace(risk, row=row, entries=(*risk.entries, one.entry), notes=_noted(risk, one, review.note))
    after = seen if same else _moved(risk, row, one, review.note)
    return [replace(after, reviewed_at=one.at, closed_at=one.at if review.closed else None)]


def _after_acceptance(found: Mapping[RiskId, Risk], basis: Mapping[RiskId, Said], one: Said) -> list[Risk]:
    accepting = statements.parse_accepted(one.claims, one.details)
    risk = found.get(accepting.risk)
    if risk is None or not acceptable(risk, accepting, one.at.date()) or one.by == risk.row.owner:
        return []
    first = basis[risk.id]
    if not agrees(one, first):
        return []
    given = Acceptance(
        one.by,
        one.at,
        one.entry,
        accepting.until,
        accepting.residual,
        accepting.reason,
        one.young(first),
    )
    return [replace(risk, acceptance=given, entries=(*risk.entries, one.entry))]


def acceptable(risk: Risk, accepting: statements.Accepting, today: date) -> bool:
    """Tell whether an acceptance is about the risk as it stands, and ends in time."""
    plan = risk.row.plan
    fits = plan is not None and accepting.residual == plan.residual and accepting.basis == risk.basis
    return fits and risk.open and risk.row.owned and reading.runs(accepting.until, today)


def _noted(risk: Risk, one: Said, note: str) -> tuple[tuple[datetime, PersonId, str], ...]:
    return (*risk.notes, (one.at, one.by, note)) if note else risk.notes


def named_by(said: Iterable[Said]) -> Digest:
    """Return the digest that names a state of the register: of the statements that it is folded from."""
    return Digest.of(digest.dumps([[one.entry, str(one.envelope)] for one in said]))
