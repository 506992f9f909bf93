"""A computed status as one JSON document: what the API answers and a pack carries."""

from datetime import date, datetime
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import NotFound
from ringfence.obligations.choices import Selected
from ringfence.obligations.results import (
    Board,
    ControlResult,
    Duty,
    Ignored,
    RequirementResult,
    Signer,
    Standing,
    State,
    Support,
    Verdict,
)


def document(board: Board, *, control: str | None = None) -> dict[str, Any]:
    """Return the document of a board, or of one control of it; counts are always those of the whole.

    Raises:
        NotFound: there is no such control.
    """
    shown = [result for result in board.controls if control in (None, result.control.id)]
    if not shown:
        known = ", ".join(result.control.id for result in board.controls)
        raise NotFound(f"there is no control {str(control)[:40]!r}; there are {known}")
    return {
        "as_of": to_text(board.as_of),
        "rules": str(board.rules),
        "tenant": board.tenant,
        "demo": board.demo,
        "counts": counts(board),
        "controls": [_control(result, board) for result in shown],
        "obligations": _obligations(board),
        "anchored_outside_until": _time(board.anchored_outside_until),
        "overrides": _overrides(board) if board.overrides else None,
        "profile": _profile(board.profile) if board.profile else None,
    }


def counts(board: Board) -> dict[str, int]:
    """Return how many controls are in each state; the denominator holds every gap."""
    return {state.value: board.count(state) for state in State} | {"denominator": board.denominator}


def _control(result: ControlResult, board: Board) -> dict[str, Any]:
    return {
        "id": result.control.id,
        "title": result.control.title,
        "requirement": result.control.requirement,
        **_verdict(result.verdict),
        "entries": list(result.entries),
        "weakest_strength": result.weakest.text if result.weakest is not None else None,
        "keys": [_key(signer) for signer in result.signers],
        "does_not_prove": list(result.control.does_not_prove),
        "next_step": result.next_step,
        "set_aside": _aside(result),
        "required_by": result.required_by,
        "requirements": [_requirement(part, board) for part in result.requirements],
        "obligations": [_duty(duty) for duty in result.duties],
    }


def _aside(result: ControlResult) -> dict[str, Any] | None:
    if result.aside is None:
        return None
    row = result.aside.row
    return {
        "counts": result.set_aside,
        "why_not": result.aside.why_not or None,
        "reason": row.reason,
        "owner": row.owner,
        "expires": row.expires.isoformat(),
        "file": str(row.file),
        "entry": result.aside.entry,
    }


def _overrides(board: Board) -> dict[str, Any]:
    """Say which files changed the rules: with their values, so that a stranger computes with the same ones."""
    overrides = board.overrides
    return {
        "digest": str(overrides.digest),
        "rows": overrides.rows,
        "set_aside": board.set_aside,
        "denominator_with_set_aside": board.denominator + board.set_aside,
        "files": [{"name": file.name, "value": file.value} for file in overrides.files],
    }


def _profile(selected: Selected) -> dict[str, Any]:
    return {
        "id": selected.profile.id,
        "digest": str(selected.profile.digest),
        "entry": selected.entry,
        "outdated": selected.outdated,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state.value,
        "reason": verdict.reason.value if verdict.reason else None,
        "because": verdict.because,
        "next_change": _time(verdict.next_change),
    }


def _requirement(part: RequirementResult, board: Board) -> dict[str, Any]:
    rule = part.requirement
    found: dict[str, Any] = {
        "id": rule.id,
        "asks": rule.asks,
        **_verdict(part.verdict),
        "evidence": rule.evidence,
        "issuers": sorted(role.value for role in rule.issuers),
        "strength": rule.strength.text,
        "freshness_days": rule.freshness.days if rule.freshness else None,
        "freshness_basis": rule.freshness_basis,
        "weakest_strength": part.weakest.text if part.weakest is not None else None,
        "next_step": part.next_step,
        "members": [
            {"name": m.name, **_verdict(m.verdict), "entries": list(m.entries)} for m in part.members if m.name
        ],
        "rests_on": [_support(support) for support in part.rests_on],
        "ignored": [_ignored(ignored) for ignored in part.ignored],
        "ignored_total": part.ignored_total,
    }
    return found | ({"anchored_outside_until": _time(board.anchored_outside_until)} if rule.anchors else {})


def _support(support: Support) -> dict[str, Any]:
    return {
        "entry": support.entry,
        "predicate": support.predicate,
        "subject": support.subject,
        "recorded_at": to_text(support.recorded_at),
        "strength": support.strength.text,
        "issuer": support.issuer,
        "late": support.late,
        "demo": support.demo,
    }


def _ignored(ignored: Ignored) -> dict[str, Any]:
    return {
        "entry": ignored.entry,
        "predicate": ignored.predicate,
        "subject": ignored.subject,
        "recorded_at": to_text(ignored.recorded_at),
        "issuer": ignored.issuer,
        "why": ignored.why,
    }


def _key(signer: Signer) -> dict[str, str]:
    return {"key": signer.key, "role": signer.role.value, "custody": signer.custody}


def _duty(duty: Duty) -> dict[str, Any]:
    obligation = duty.obligation
    return {
        "id": obligation.id,
        "act": obligation.act,
        "provision": obligation.provision,
        "paraphrase": obligation.paraphrase,
        "standing": duty.standing.value,
        "because": duty.because,
        "applies_from": _day(duty.applies_from),
        "source": obligation.source,
        "verified_on": obligation.verified_on.isoformat(),
        "entries": list(duty.entries),
    }


def _obligations(board: Board) -> dict[str, Any]:
    by_standing = {s: [d for d in board.duties if d.standing is s] for s in Standing}
    return {
        "counts": {standing.value: len(duties) for standing, duties in by_standing.items()},
        **{standing.value: [_brief(duty) for duty in duties] for standing, duties in by_standing.items()},
    }


def _brief(duty: Duty) -> dict[str, Any]:
    return {"id": duty.obligation.id, "applies_from": _day(duty.applies_from), "because": duty.because}


def _time(at: datetime | None) -> str | None:
    return to_text(at) if at is not None else None


def _day(start: date | None) -> str | None:
    return start.isoformat() if start is not None else None
