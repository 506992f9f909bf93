"""Compute the status of a pack again from its records, with the rules of this installation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ringfence.kernel.identifier import Tenant
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import board, sheet
from ringfence.obligations.model import Catalog
from ringfence.obligations.records import Records
from ringfence.reports.model import Failure, Verdict, Verification
from ringfence.reports.ports import Rules


def rules_of(catalog: Catalog, *, demo: bool) -> Rules:
    """Return the rules of a catalogue, as a pack's status line is made with them."""

    def compute(statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        return sheet.document(board.compute(catalog, Records.of(tenant, statements, demo=demo), at))

    return compute


def recompute(outcome: Verification, rules: Rules) -> Verification:
    """Return the outcome with what the recomputed status adds to it: failures, or a notice that both agree."""
    found = [Failure(reason) for reason in differences(outcome, rules)]
    agreed = () if found else ("the status follows from the records, by the rules of this installation",)
    return replace(
        outcome,
        verdict=Verdict.FAILED if found else outcome.verdict,
        failures=(*outcome.failures, *found),
        notices=(*outcome.notices, *agreed),
    )


def as_known(statements: Sequence[LoggedStatement], root: bytes, *, at: datetime, size: int) -> list[LoggedStatement]:
    """Return what a tree of `size` held at a time, each statement with the standing that its key had by then.

    A revocation that came later must not change a status of before.
    """
    known = [logged for logged in statements if logged.entry < size and logged.recorded_at <= at]
    issuers = fold([(logged.recorded_at, logged.envelope) for logged in known], root)
    return [_judged(logged, issuers) for logged in known]


def _judged(logged: LoggedStatement, issuers: Issuers) -> LoggedStatement:
    standing, issuer = issuers.at(logged.envelope.signer, logged.recorded_at)
    return replace(logged, standing=standing, issuer=issuer)


def differences(outcome: Verification, rules: Rules) -> list[str]:
    """Say where the pack's status line differs from the one that follows from its records: control by control."""
    header, stated = outcome.header, outcome.status or {}
    size = outcome.statements[-1].envelope.statement.claims.get("size") if outcome.statements else 0
    known = as_known(outcome.statements, header.root, at=header.as_of, size=size if type(size) is int else 0)
    computed = rules(known, header.tenant, header.as_of)
    if computed == stated:
        return []
    if stated.get("rules") != computed.get("rules"):
        given = f"{stated.get('rules')}"[:80]
        return [f"the status was computed with other rules ({given}) than those here ({computed.get('rules')})"]
    before, now = _by_control(stated), _by_control(computed)
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return [_difference(name, before.get(name), now.get(name)) for name in changed] or [
        "the status line differs from the recomputed one outside its controls"
    ]


def _by_control(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    controls = status.get("controls")
    named = [c for c in controls if isinstance(c, dict)] if isinstance(controls, list) else []
    return {str(control.get("id")): control for control in named}


def _difference(name: str, stated: Mapping[str, Any] | None, computed: Mapping[str, Any] | None) -> str:
    before, now = ((item or {}).get("state", "absent") for item in (stated, computed))
    how = f"the pack says {before}, the records give {now}" if before != now else f"both say {now}, on other grounds"
    return f"control {name}: {how}"
