"""Compute the status of a pack again from its records, with the rules of this installation. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import LoggedStatement, Vouched
from ringfence.obligations import board, duties, overrides, sheet
from ringfence.obligations.model import Catalog
from ringfence.obligations.records import Records
from ringfence.reports.extent import ALWAYS, shows
from ringfence.reports.model import Extent, Failure, Verdict, Verification
from ringfence.reports.pairs import unpaired
from ringfence.reports.ports import Evidence, Rules

Vouches = Callable[[datetime], Vouched | None]


def rules_of(catalog: Catalog, *, demo: bool) -> Rules:
    """Return the rules of a catalogue, as a pack's status line is made with them."""

    def compute(statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        return sheet.document(board.compute(catalog, Records.of(tenant, statements, demo=demo), at))

    return compute


def needs_of(catalog: Catalog) -> Mapping[str, frozenset[PredicateName] | None]:
    """Return the evidence types that decide about each control; None: all of them."""
    return {control.id: _needs(catalog, control.id) for control in catalog.controls}


def evidence_of(catalog: Catalog) -> Evidence:
    """Return what knows the evidence types that decide about controls."""
    needs = needs_of(catalog)

    def evidence(controls: Sequence[str], /) -> frozenset[PredicateName]:
        unknown = [name for name in controls if name not in needs]
        if unknown:
            raise NotFound(f"there is no control {unknown[0][:40]!r}; there are {', '.join(needs)}")
        asked = [needs[name] or frozenset(board.predicates(catalog)) for name in controls]
        return frozenset().union(*asked) - ALWAYS

    return evidence


def _needs(catalog: Catalog, control: str) -> frozenset[PredicateName] | None:
    asked = [duties.ENTITY, duties.SYSTEM]  # who the tenant is decides whether a duty of the control is its own
    for requirement in catalog.of(control):
        if requirement.anchors:
            return None  # it tells the newest record of all that a head covers
        asked += [requirement.id, *requirement.links]
    return frozenset(catalog.requirements[name].evidence for name in asked)


def judged(outcome: Verification, shipped: Catalog) -> Verification:
    """Return the outcome with what the records give by the rules here, and by the team's overrides in the pack.

    Overrides that loosen a rule are refused here as they would be where they come from.
    """
    try:
        known = overridden(shipped, (outcome.status or {}).get("overrides"))
    except MalformedInput as error:
        failure = Failure(f"the overrides in this pack are none that these rules take: {error}")
        return replace(outcome, verdict=Verdict.FAILED, failures=(*outcome.failures, failure))
    return recompute(outcome, rules_of(known, demo=outcome.header.demo), needs_of(known))


def overridden(shipped: Catalog, stated: object) -> Catalog:
    """Return the rules with the overrides that a status carries; raise `MalformedInput` where those are none."""
    if stated is None:
        return shipped
    if not isinstance(stated, dict):
        raise MalformedInput("the overrides of a status name their files")
    return overrides.apply(shipped, overrides.of_values(stated.get("files")))


def recompute(
    outcome: Verification, rules: Rules, needs: Mapping[str, frozenset[PredicateName] | None] | None = None
) -> Verification:
    """Return the outcome with what looking into the records adds to it: failures, or a notice that both agree.

    `needs` says which evidence types decide about each control: of a pack with a scope only those controls are
    compared all of whose evidence is there in full.
    """
    extent = outcome.header.extent
    unknown = [name for name, asked in (needs or {}).items() if not known_in(extent, asked)]
    differ = (Failure(reason) for reason in differences(outcome, rules, frozenset(unknown)))
    found = [*unpaired(outcome), *differ]
    agreed = () if found else (_agreed(unknown, len(needs or {})),)
    return replace(
        outcome,
        verdict=Verdict.FAILED if found else outcome.verdict,
        failures=(*outcome.failures, *found),
        notices=(*outcome.notices, *agreed),
    )


def as_known(
    statements: Sequence[LoggedStatement], root: bytes, vouched: Vouches, *, at: datetime, size: int
) -> list[LoggedStatement]:
    """Return what a tree of `size` held at a time, each statement with the standing that its key had by then.

    A revocation that came later must not change a status of before. `vouched` tells what another party vouched for
    before a time: of compromised keys nothing else counts.
    """
    known = [logged for logged in statements if logged.entry < size and logged.recorded_at <= at]
    issuers = fold([(logged.recorded_at, logged.envelope, logged.entry) for logged in known], root).proven(vouched)
    return [_judged(logged, issuers) for logged in known]


def _judged(logged: LoggedStatement, issuers: Issuers) -> LoggedStatement:
    standing, issuer = issuers.at(logged.envelope.signer, logged.recorded_at, logged.entry)
    return replace(logged, standing=standing, issuer=issuer)


def known_in(extent: Extent | None, asked: frozenset[PredicateName] | None) -> bool:
    """Tell whether all evidence of some types is in full in a pack of this extent."""
    if extent is None or not extent.scoped:
        return True
    return asked is not None and all(shows(extent, predicate) for predicate in asked)


def _agreed(unknown: Sequence[str], total: int) -> str:
    if not unknown:
        return "the status follows from the records, by the rules of this installation"
    return (
        f"the status of {total - len(unknown)} of {total} controls follows from the records, by the rules of this "
        f"installation; not those of which this pack holds digests only: {', '.join(unknown)}"
    )


def differences(outcome: Verification, rules: Rules, unknown: frozenset[str] = frozenset()) -> list[str]:
    """Say where the pack's status line differs from the one that follows from its records: control by control."""
    header, stated = outcome.header, outcome.status or {}
    size = outcome.statements[-1].envelope.statement.claims.get("size") if outcome.statements else 0
    reach = size if type(size) is int else 0
    known = as_known(outcome.statements, header.root, outcome.vouched_before, at=header.as_of, size=reach)
    computed = rules(known, header.tenant, header.as_of)
    if computed == stated:
        return []
    if stated.get("rules") != computed.get("rules"):
        given = f"{stated.get('rules')}"[:80]
        return [f"the status was computed with other rules ({given}) than those here ({computed.get('rules')})"]
    before, now = _by_control(stated), _by_control(computed)
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if unknown:
        return [_difference(name, before.get(name), now.get(name)) for name in changed if name not in unknown]
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
