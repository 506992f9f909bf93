"""Put the AI Act to the systems and models of an organisation."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from ringfence.obligations.scope import ai_act, gpai, rules
from ringfence.obligations.scope.ai_act import Row
from ringfence.obligations.scope.answer import PROJECT_RULE, UNDETERMINED, Gap, Notes, Part, Reason, Upcoming
from ringfence.obligations.scope.completion import resolve
from ringfence.obligations.scope.model import AiSystem

_WHY = {
    "prohibited": "a prohibited practice",
    "high_risk_annex_I": "product or safety component under Annex I Section A with third-party assessment",
    "high_risk_annex_I_section_B": "Annex I Section B: the duties reach it through the product law, not directly",
    "high_risk_annex_III": "a purpose of Annex III",
    "transparency": "people are told, or content is marked",
    "minimal": "no class with own duties; measures for AI literacy remain",
    "gpai": "a general-purpose AI model, the compute criterion being indicative",
    "gpai_systemic": "systemic risk, presumed above 10^25 operations of training; notify within two weeks",
    "out_of_scope": "outside the AI Act",
    "no_gpai_duty": "no duty as provider of a general-purpose AI model follows from what is done with it",
}


def classify(systems: tuple[AiSystem, ...], on: date) -> Part:
    """Return a row per system, role and class."""
    notes = Notes()
    rows = [row for system in systems for row in _rows(system, on, notes)]
    return Part(tuple(rows), tuple(notes.reasons), tuple(notes.gaps), tuple(notes.upcoming))


def _rows(system: AiSystem, on: date, notes: Notes) -> list[Mapping[str, Any]]:
    day = ai_act.canonical(system.placed_on, rules.load())
    certain, possible, deciding = _classified(replace(system, name="", placed_on=day))
    subject = f"system {system.name}"
    notes.reasons.extend(_not_considered(subject, system))
    for row in certain:
        _explain(subject, row, system, on, notes)
    found = [_printed(system, row) for row in certain]
    if possible:
        names = tuple(f"{row.role}: {row.kind} from {row.applies_from or '-'} ({row.provision})" for row in possible)
        notes.gaps.append(Gap(subject, names, deciding))
        found.append(_open(system, certain, possible))
    return found


@lru_cache(maxsize=1024)
def _classified(system: AiSystem) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[str, ...]]:
    """Return what every completion says, what only some say, and the inputs between them."""
    law = rules.load()
    outcomes: set[frozenset[Row]] = set()
    deciding: list[str] = [] if system.kind else ["kind"]
    if system.kind != "model":
        result = resolve(ai_act.inputs(system, law), ai_act.decider(law))
        outcomes |= result.outcomes
        deciding += ai_act.spelled(system, result.deciding)
    if system.kind != "system":
        result = resolve(gpai.inputs(system, law), gpai.decider(law))
        outcomes |= result.outcomes
        deciding += result.deciding
    certain = frozenset.intersection(*outcomes)
    possible = frozenset.union(*outcomes) - certain
    return _ordered(certain), _ordered(possible), tuple(dict.fromkeys(deciding))


def _ordered(rows: frozenset[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (row.role, row.kind, row.applies_from or "", row.provision)))


def _printed(system: AiSystem, row: Row) -> Mapping[str, Any]:
    return {
        "system": system.name,
        "role": row.role,
        "class": row.kind,
        "applies_from": row.applies_from,
        "provision": row.provision,
        "compute_estimated": bool(system.compute_estimated),
    }


def _open(system: AiSystem, certain: tuple[Row, ...], possible: tuple[Row, ...]) -> Mapping[str, Any]:
    roles = {row.role for row in (*certain, *possible)}
    days = {row.applies_from for row in possible}
    kinds = {row.kind for row in possible}
    return {
        "system": system.name,
        "role": roles.pop() if len(roles) == 1 else UNDETERMINED,
        "class": UNDETERMINED if len(kinds) > 1 or certain else _only_class(possible),
        "applies_from": days.pop() if len(days) == 1 and len(kinds) == 1 and not certain else None,
        "provision": "; or ".join(sorted({row.provision for row in possible})),
        "compute_estimated": bool(system.compute_estimated),
        "possible": sorted({f"{row.role}: {row.kind}" for row in possible}),
    }


def _only_class(possible: tuple[Row, ...]) -> str:
    return possible[0].kind


def _not_considered(subject: str, system: AiSystem) -> list[Reason]:
    """Name what was said of the other kind, so that nothing is passed over in silence."""
    purposes = [name for name in system.purposes or () if name != "other"]
    if system.kind == "model" and (purposes or system.product_section not in (None, "none")):
        because = "a model has no purpose or product class; a system built on it is an entry of its own"
        return [Reason(subject, "purposes and product not considered", "AI Act 3(63), 6", because, PROJECT_RULE)]
    if system.kind == "system" and (system.general_purpose or system.training_compute or system.high_impact):
        because = "what is said of its training is asked of models; a model that is placed on the market is an entry"
        return [Reason(subject, "training not considered", "AI Act 3(63), 53", f"{because} of its own", PROJECT_RULE)]
    return []


def _explain(subject: str, row: Row, system: AiSystem, on: date, notes: Notes) -> None:
    notes.reasons.append(Reason(subject, f"{row.role}, {row.kind}", row.provision, _WHY[row.kind], row.source))
    if row.kind.startswith("high_risk") and isinstance(system.placed_on, date) and _before(system.placed_on, row):
        older = (
            "placed on the market before that day, it falls in only on a significant change of its design; systems for"
            " public authorities by 2030-08-02 in any case"
        )
        notes.reasons.append(Reason(subject, "older system", "AI Act 111(2)", older))
    if row.applies_from and row.applies_from > on.isoformat():
        what = f"duties of the {row.role} of a system of class {row.kind}"
        notes.upcoming.append(Upcoming(subject, what, row.applies_from, row.provision, _WHY[row.kind]))


def _before(placed_on: date, row: Row) -> bool:
    return row.applies_from is not None and placed_on.isoformat() < row.applies_from
