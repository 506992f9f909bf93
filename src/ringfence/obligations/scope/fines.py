"""Ranges of fines. The base is always the worldwide turnover of the *undertaking* to which the entity belongs.

The entity's own turnover decides its size and, elsewhere, whether an incident is significant; it is never used here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ringfence.obligations.scope.answer import UNDETERMINED, Gap
from ringfence.obligations.scope.entity import Standing
from ringfence.obligations.scope.nis2 import Category
from ringfence.obligations.scope.size import SizeClass

HIGHER, LOWER = "whichever is higher", "whichever is lower"
UNDETERMINED_RULE = "undetermined: lower for SMEs and, save for prohibited practices, small mid-caps; else higher"
AT_LEAST, UP_TO = "national maximum of at least", "maximum"


@dataclass(frozen=True, slots=True)
class Band:
    """A fixed amount in euros and a share of turnover in basis points."""

    act: str
    provision: str
    infringement: str
    fixed: int
    basis_points: int
    nature: str = UP_TO


NIS2 = {
    Category.ESSENTIAL: Band("NIS2", "NIS2 34(4)", "Articles 21 or 23", 10_000_000, 200, AT_LEAST),
    Category.IMPORTANT: Band("NIS2", "NIS2 34(5)", "Articles 21 or 23", 7_000_000, 140, AT_LEAST),
}
AI_PROHIBITED = Band("AI Act", "AI Act 99(3)", "prohibited practices", 35_000_000, 700)
AI_DUTIES = Band("AI Act", "AI Act 99(4)", "duties of operators", 15_000_000, 300)
AI_INFORMATION = Band("AI Act", "AI Act 99(5)", "wrong information to authorities", 7_500_000, 100)
AI_MODELS = Band("AI Act", "AI Act 101", "duties of providers of general-purpose models", 15_000_000, 300)
CRA = (
    Band("CRA", "CRA 64", "Annex I, Articles 13 and 14", 15_000_000, 250),
    Band("CRA", "CRA 64", "other listed duties", 10_000_000, 200),
    Band("CRA", "CRA 64", "wrong information to authorities", 5_000_000, 100),
)
GDPR = (
    Band("GDPR", "GDPR 83", "Articles 8, 11, 25-39, 42 and 43", 10_000_000, 200),
    Band("GDPR", "GDPR 83", "Articles 5, 6, 7, 9, 12-22 and 44-49", 20_000_000, 400),
)


@dataclass(frozen=True, slots=True)
class Base:
    """Whose fines are computed: turnover of the undertaking, and the possible size classes."""

    turnover: int | None
    sizes: frozenset[SizeClass]
    small_mid_cap: bool | None


def nis2(category: Category | None, base: Base, *, status: str, public: bool) -> list[Mapping[str, Any]]:
    """Return the range for an entity of a determined category that is certainly none of DORA's.

    Whether a public body is fined at all is for each Member State to say (34(7)).
    """
    band = NIS2.get(category) if category else None
    if band is None:
        return []
    if public:
        band, status = replace(band, provision=f"{band.provision}, 34(7)"), UNDETERMINED
    return [_row(band, base.turnover, HIGHER, status)]


def ai_act(rows: tuple[Mapping[str, Any], ...], base: Base, on: date) -> list[Mapping[str, Any]]:
    """Return the ranges that the certain classes call for."""
    since = {row["class"]: row["applies_from"] for row in reversed(rows) if row["applies_from"]}
    return [_row(band, base.turnover, _rule(band, base), _status(start, on)) for band, start in _ai_bands(since)]


def _status(since: str, on: date) -> str:
    return "upcoming" if since > on.isoformat() else "binding"


_OPERATOR = ("high_risk_annex_I", "high_risk_annex_III", "transparency")


def _ai_bands(since: Mapping[str, str]) -> Iterator[tuple[Band, str]]:
    if "prohibited" in since:
        yield AI_PROHIBITED, since["prohibited"]
    operator = [day for kind, day in since.items() if kind in _OPERATOR]
    if operator:
        yield AI_DUTIES, min(operator)
        yield AI_INFORMATION, min(operator)
    models = [day for kind, day in since.items() if kind in ("gpai", "gpai_systemic")]
    if models:
        yield AI_MODELS, max(min(models), "2026-08-02")  # fines on providers of models apply since that day


def cra(rows: tuple[Mapping[str, Any], ...], base: Base, on: date) -> list[Mapping[str, Any]]:
    """Return the ranges where a product is certainly in scope; stewards are not fined (Art 64(10)).

    Articles 13 and 14 are duties of manufacturers. Article 14 applies since 2026, Article 64 itself later (71(2)).
    """
    bound = [row for row in rows if row["applies_from"] and row["class"] != "open_source_steward"]
    roles = {row["role"] for row in bound}
    bands = CRA if "manufacturer" in roles else CRA[1:] if roles - {UNDETERMINED} else ()
    return [_row(band, base.turnover, HIGHER, _status(bound[0]["applies_from"], on)) for band in bands]


def gdpr(processes: bool | None, base: Base) -> list[Mapping[str, Any]]:  # noqa: FBT001 - three-valued
    """Return the ranges for whoever processes personal data."""
    return [_row(band, base.turnover, HIGHER, "binding") for band in GDPR] if processes else []


def gaps(rows: Sequence[Mapping[str, Any]], base: Base, standing: Standing) -> list[Gap]:
    """Return what keeps ranges, rules and amounts open, with the inputs that would settle them."""
    found = []
    ranges = tuple(sorted(NIS2[one].provision if one in NIS2 else "none" for one in standing.categories))
    if standing.category is None and len(set(ranges)) > 1 and standing.dora is False:
        found.append(Gap("fines: NIS2", tuple(dict.fromkeys(ranges)), standing.category_open))
    if any(row["rule"] == UNDETERMINED_RULE for row in rows):
        mid_cap = ("size.small_mid_cap",) if base.small_mid_cap is None and SizeClass.LARGE in base.sizes else ()
        found.append(Gap("fines: rule", (LOWER, HIGHER), (*standing.size_open, *mid_cap)))
    if rows and base.turnover is None:
        found.append(Gap("fines: amounts", ("the fixed sum", "the share"), ("undertaking_turnover_worldwide",)))
    return found


def _rule(band: Band, base: Base) -> str | None:
    """Return the rule of Art 99(6) and (6a), or None where an unknown size leaves it open."""
    if band is AI_MODELS:
        return HIGHER
    rules = {_rule_for(band, one, base.small_mid_cap) for one in base.sizes}
    return rules.pop() if len(rules) == 1 else None


def _rule_for(band: Band, size: SizeClass, small_mid_cap: bool | None) -> str | None:  # noqa: FBT001
    if size < SizeClass.LARGE:
        return LOWER  # SMEs, all three bands
    if band is AI_PROHIBITED or small_mid_cap is False:
        return HIGHER
    return LOWER if small_mid_cap else None


def _row(band: Band, turnover: int | None, rule: str | None, status: str) -> Mapping[str, Any]:
    share = None if turnover is None else turnover * band.basis_points // 10_000
    return {
        "act": band.act,
        "provision": band.provision,
        "infringement": band.infringement,
        "nature": band.nature,
        "fixed_eur": band.fixed,
        "percent": f"{band.basis_points / 100:g}",
        "base": "worldwide annual turnover of the undertaking to which the entity belongs",
        "base_eur": turnover,
        "rule": rule or UNDETERMINED_RULE,
        "amount_eur": _amount(band, share, rule),
        "status": status,
    }


def _amount(band: Band, share: int | None, rule: str | None) -> int | None:
    if share is None or rule is None:
        return None
    return max(band.fixed, share) if rule == HIGHER else min(band.fixed, share)
