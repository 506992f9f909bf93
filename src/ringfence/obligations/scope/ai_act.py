"""Role and class of an AI system under the AI Act, with the day from which the duties apply."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.obligations.scope.completion import options, resolve
from ringfence.obligations.scope.model import AiSystem
from ringfence.obligations.scope.rules import Rules, day

NOT_YET = "not_yet"
OUT_OF_SCOPE = "out_of_scope"
MINIMAL = "minimal"
LITERATE = frozenset({"provider", "deployer"})  # whom Art 4 addresses
HIGH_RISK = frozenset({"high_risk_annex_I", "high_risk_annex_III"})
# What an unknown day can be, one for each way in which the dates of the act can fall.
_ANY_DAY: tuple[date | str, ...] = (date(2025, 1, 1), date(2026, 1, 1), NOT_YET)


@dataclass(frozen=True, slots=True)
class Row:
    """One role with one class, and where that is written."""

    role: str
    kind: str
    applies_from: str | None
    provision: str
    source: str = "verified"


@dataclass(frozen=True, slots=True)
class Facts:
    """One completion of what is known about a system."""

    activities: tuple[str, ...]
    purposes: tuple[str, ...]
    union_link: bool
    research_only: bool
    open_source: bool
    annex_i: str  # none | a | b
    derogated: bool
    placed_on: date | str


def inputs(system: AiSystem, law: Rules) -> dict[str, Sequence[Any]]:
    """Return the completions of a system, by input."""
    given = system.activities
    return {
        "activities": [(name,) for name in law.ai_act["activities"] if name != "modifies_model"]
        if given is None
        else [given],
        "purposes": _purposes(system, law),
        "union_link": options(system.union_link),
        "research_only": options(system.research_only),
        "open_source": options(system.open_source),
        "annex_i_product": sorted(_annex_i(system).outcomes),
        "narrow_task_6_3": sorted(
            resolve(_derogation(system), lambda narrow, profiling: narrow and not profiling).outcomes
        ),
        "placed_on_market": _ANY_DAY if system.placed_on is None else (system.placed_on,),
    }


def spelled(system: AiSystem, names: Sequence[str]) -> tuple[str, ...]:
    """Replace the two inputs that combine several answers by those of them that are open."""
    deeper = {
        "annex_i_product": _annex_i(system).deciding,
        "narrow_task_6_3": resolve(_derogation(system), lambda narrow, profiling: narrow and not profiling).deciding,
    }
    return tuple(inner for name in names for inner in deeper.get(name, (name,)))


def _purposes(system: AiSystem, law: Rules) -> list[tuple[str, ...]]:
    return [(name,) for name in law.ai_act["purposes"]] if system.purposes is None else [system.purposes]


def _annex_i(system: AiSystem) -> Any:
    """Return what Annex I can make of the system: both conditions of Art 6(1) are needed."""
    open_inputs = {
        "annex_i_product": ("none", "a", "b") if system.product_section is None else (system.product_section,),
        "product_or_safety_component": options(system.safety_component),
        "third_party_assessment": options(system.third_party_assessment),
    }
    return resolve(open_inputs, lambda section, component, assessed: section if component and assessed else "none")


def _derogation(system: AiSystem) -> dict[str, tuple[bool, ...]]:
    return {"narrow_task_6_3": options(system.narrow_task), "profiling": options(system.profiling)}


def decide(facts: Facts, law: Rules) -> frozenset[Row]:
    """Return every role with every class of one completion."""
    if not facts.union_link:
        return _outside(facts, law, "AI Act 2(1)")
    if facts.research_only:
        return _outside(facts, law, "AI Act 2(6), 2(8)")
    shared = _prohibited(facts, law) or _high_risk(facts, law)
    risky = any(kind in HIGH_RISK for _, kind, *_ in shared)
    rows: set[Row] = set()
    for role in _roles(facts, law, high_risk=risky):
        own = [Row(role, kind, since, ref, source) for _, kind, since, ref, source in shared]
        own += [row for row in _transparency(role, facts, law) if not _forbidden_by(own, row.applies_from)]
        rows.update(own if role != "none" else [Row(role, OUT_OF_SCOPE, None, "AI Act 3(4)")])
        if role != "none" and not own:
            rows.add(_rest(role, facts, law))
    return frozenset(rows)


def _forbidden_by(rows: Sequence[Row], day_of_duty: str | None) -> bool:
    """Say whether a prohibition is older than a duty; one that begins later leaves the duty until then."""
    return any(row.kind == "prohibited" and (row.applies_from or "") <= (day_of_duty or "") for row in rows)


_Shared = tuple[str, str, str | None, str, str]


def _outside(facts: Facts, law: Rules, ref: str) -> frozenset[Row]:
    return frozenset(Row(role, OUT_OF_SCOPE, None, ref) for role in _roles(facts, law, high_risk=False))


def _roles(facts: Facts, law: Rules, *, high_risk: bool) -> list[str]:
    known = law.ai_act["activities"]
    return sorted({_role(known[name], facts, high_risk=high_risk) for name in facts.activities}) or ["none"]


def _role(row: Mapping[str, str], facts: Facts, *, high_risk: bool) -> str:
    if high_risk and "if_high_risk" in row:
        return row["if_high_risk"]
    if facts.annex_i == "a" and "if_annex_i_a" in row:
        return row["if_annex_i_a"]
    return row["role"]


def _of_class(facts: Facts, law: Rules, wanted: str) -> list[Mapping[str, Any]]:
    table = law.ai_act["purposes"]
    return [table[name] for name in facts.purposes if table[name]["class"] == wanted]


def _prohibited(facts: Facts, law: Rules) -> list[_Shared]:
    found = _of_class(facts, law, "prohibited")
    dates = law.ai_act["dates"]
    return [
        ("", "prohibited", dates[row.get("date", "prohibited")], f"AI Act {row['ref']}", row["source"]) for row in found
    ]


def _high_risk(facts: Facts, law: Rules) -> list[_Shared]:
    dates = law.ai_act["dates"]
    found: list[_Shared] = []
    if facts.annex_i == "a":
        found.append(("", "high_risk_annex_I", dates["annex_i"], "AI Act 6(1), Annex I.A", "verified"))
    if facts.annex_i == "b":
        only = "AI Act 2(2), Annex I.B: only 6(1), 60a, 102-112"
        found.append(("", "high_risk_annex_I_section_B", dates["annex_i"], only, "verified"))
    listed = _of_class(facts, law, "annex_iii")
    if listed and not facts.derogated:
        refs = ", ".join(sorted({row["ref"] for row in listed}))
        found.append(("", "high_risk_annex_III", dates["annex_iii"], f"AI Act 6(2), {refs}", "verified"))
    return found


def _transparency(role: str, facts: Facts, law: Rules) -> list[Row]:
    table, found = law.ai_act["purposes"], list(facts.purposes)
    for name in facts.purposes:
        found += table[name].get("also", ())
    rows = [table[name] for name in dict.fromkeys(found) if role in table[name].get("binds", ())]
    return [Row(role, "transparency", _since(row, facts, law), f"AI Act {row['ref']}") for row in rows]


def _since(row: Mapping[str, Any], facts: Facts, law: Rules) -> str:
    dates: Mapping[str, str] = law.ai_act["dates"]
    older = isinstance(facts.placed_on, date) and facts.placed_on < day(dates["transparency"])
    return dates["marking_of_older_systems"] if row.get("date") == "marking" and older else dates["transparency"]


def _told_or_marked(facts: Facts, law: Rules) -> bool:
    """Say whether Art 50 addresses the system in any role, so that 2(12) leaves it in the act."""
    table = law.ai_act["purposes"]
    return any(table[name]["class"] == "transparency" or table[name].get("also") for name in facts.purposes)


def _refs(facts: Facts, law: Rules) -> str:
    return ", ".join(sorted({law.ai_act["activities"][name]["ref"] for name in facts.activities}))


def _rest(role: str, facts: Facts, law: Rules) -> Row:
    if facts.open_source and not _told_or_marked(facts, law):
        return Row(role, OUT_OF_SCOPE, None, "AI Act 2(12)")
    if role not in LITERATE:
        return Row(role, MINIMAL, None, f"AI Act {_refs(facts, law)}")
    if facts.derogated and _of_class(facts, law, "annex_iii"):
        return Row(role, MINIMAL, law.ai_act["dates"]["literacy"], "AI Act 4, 6(3)-(4), 49(2)")
    return Row(role, MINIMAL, law.ai_act["dates"]["literacy"], "AI Act 4")


def canonical(placed_on: date | str | None, law: Rules) -> date | str | None:
    """Return a day that stands for all days on which the act says the same; fewer differ, fewer are decided."""
    if not isinstance(placed_on, date):
        return placed_on
    bounds = (day(law.ai_act["dates"]["gpai"]), day(law.ai_act["dates"]["transparency"]))
    return _ANY_DAY[sum(placed_on >= bound for bound in bounds)]


def decider(law: Rules) -> Callable[..., frozenset[Row]]:
    """Return the decision over the values of `inputs`, in their order."""
    return lambda *values: decide(Facts(*values), law)
