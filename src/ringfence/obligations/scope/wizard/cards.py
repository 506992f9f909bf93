"""The cards of the wizard: groups of customers, AI systems, the models below them, and products."""

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.countries import COUNTRIES
from ringfence.obligations.scope.wizard.model import Sheet, one, ticked, truth
from ringfence.obligations.scope.wizard.questions import MAX_SYSTEMS, NONE
from ringfence.obligations.scope.wizard.reader import Reader
from ringfence.obligations.scope.writing import Bare

PLACED = ("2025-08-01", "2026-08-01", "not_yet")
CODES = tuple(sorted(COUNTRIES))

# What a group of customers is in the words of the file. All types of Annex II.5 are treated alike; of a public
# administration it stays open whether it is in scope; where DORA applies, no more is claimed than that.
GROUPS: dict[str, tuple[str, list[Any]]] = {
    "healthcare": ("healthcare customers", ["healthcare_provider"]),
    "manufacturing": ("manufacturing customers", ["machinery_manufacturer"]),
    "financial": ("financial customers", ["other_financial_entity_under_dora"]),
    "legal": ("legal and other customers", ["none_of_these"]),
    "public": ("public customers", [{"type": "regional_government_entity"}]),
    "consumers": ("consumers", ["none_of_these"]),
}
# The lowest figures of a size class: which of its figures it has decides nothing.
SIZES = {
    "small": {"staff": 10, "turnover": 0, "balance": 0},
    "medium": {"staff": 50, "turnover": 0, "balance": 0},
    "large": {"staff": 250, "turnover": 0, "balance": 0},
}


def customers(reader: Reader, country: str | None) -> list[dict[str, Any]] | None:
    """Return one customer for each group that is ticked."""
    words = ticked(reader.sheet, "customers")
    if words is None:
        return None
    return [_customer(reader, word, country) for word in words if word in GROUPS]


def _customer(reader: Reader, word: str, country: str | None) -> dict[str, Any]:
    name, services = GROUPS[word]
    inside = country in rules.load().member_states
    person = word == "consumers"
    return {
        "name": name,
        "country": country if inside else None,
        "services": services,
        **(SIZES["small"] if person else SIZES.get(one(reader.sheet, f"{word}.size") or "", {})),
        "designated_critical": False if person else None,
        "direct": True,
        "personal_data": None
        if one(reader.sheet, "personal_data") == NONE
        else truth(reader.sheet, f"{word}.personal"),
        "high_risk_ai_provider": False if person else truth(reader.sheet, f"{word}.high_risk"),
    }


def count(sheet: Sheet) -> int:
    """Return how many system cards the sheet has."""
    text = one(sheet, "systems") or "1"
    return min(int(text), MAX_SYSTEMS) if text.isascii() and text.isdecimal() and len(text) < 4 else 1


def systems(reader: Reader) -> dict[str, Any]:
    """Return systems, models and products of the cards; cards without any answer are none at all."""
    if one(reader.sheet, "runs") == "no":
        return {"ai_systems": [], "products": []}
    places = [f"s{index}" for index in range(count(reader.sheet)) if _touched(reader.sheet, f"s{index}")]
    if not places:
        return {"ai_systems": None, "products": None}
    found = [card for place in places for card in _models(reader, place)]
    known = all(truth(reader.sheet, f"{place}.shipped") is not None for place in places)
    return {"ai_systems": found, "products": list(_products(reader, places)) if known else None}


def _touched(sheet: Sheet, place: str) -> bool:
    return any(one(sheet, name) or ticked(sheet, name) for name in sheet if name.startswith(f"{place}."))


def name_of(reader: Reader, place: str) -> str:
    """Return the name of a card: its number where it has none, and after one that an earlier card has too."""
    name, taken = "", set[str]()
    for index in range(int(place[1:]) + 1):
        name = reader.text(f"s{index}.name", f"system {index + 1}")
        while {name, _model_of(name)} & taken:
            name = f"{name} ({index + 1})"
        taken |= {name, _model_of(name)}
    return name


def _model_of(name: str) -> str:
    return f"{name} (model)"


def _models(reader: Reader, place: str) -> Iterator[dict[str, Any]]:
    yield _system(reader, place)
    basis = reader.choice(f"{place}.basis", ("as_is", "fine_tuned", "own", "own_general"))
    if basis in ("fine_tuned", "own_general"):
        yield _model(reader, place, own=basis == "own_general")


def _system(reader: Reader, place: str) -> dict[str, Any]:
    sheet, law = reader.sheet, rules.load().ai_act
    ticks = ticked(sheet, f"{place}.purpose")
    role = reader.choice(f"{place}.role", law["activities"])
    return {
        "name": name_of(reader, place),
        "kind": "system",
        "activities": None if role is None else [role],
        "purposes": None if ticks is None else [name for name in ticks if name in law["purposes"]],
        **_shared(reader, place),
        **_annex_i(ticks, truth(sheet, f"{place}.assessed")),
        "narrow_task_6_3": truth(sheet, f"{place}.narrow"),
        "profiling": truth(sheet, f"{place}.profiling"),
    }


def _shared(reader: Reader, place: str) -> dict[str, Any]:
    ticks = ticked(reader.sheet, f"{place}.purpose")
    return {
        "union_link": truth(reader.sheet, f"{place}.union"),
        "research_only": None if ticks is None else ticks == ["research_only"],
        "open_source": truth(reader.sheet, f"{place}.open"),
        "placed_on_market": reader.choice(f"{place}.placed", PLACED),
    }


def _annex_i(ticks: list[str] | None, assessed: bool | None) -> dict[str, Any]:  # noqa: FBT001 - three-valued
    if ticks is None:
        return {}
    section = "a" if {"medical_device", "safety_component"} & set(ticks) else "b" if "machinery" in ticks else NONE
    if section == NONE:
        return {"annex_i_product": NONE}
    return {"annex_i_product": section, "product_or_safety_component": True, "third_party_assessment": assessed}


def _model(reader: Reader, place: str, *, own: bool) -> dict[str, Any]:
    sheet = reader.sheet
    compute = reader.choice(f"{place}.compute", ("1e23", "1e25", "2e25"))
    return {
        "name": _model_of(name_of(reader, place)),
        "kind": "model",
        "activities": ["develops_under_own_name" if own else "modifies_model"],
        **_shared(reader, place),
        "general_purpose": True,
        "training_compute": None if compute is None else Bare(compute),
        "high_impact_capabilities": truth(sheet, f"{place}.impact"),
        **_modified(truth(sheet, f"{place}.modified")),
    }


def _modified(more: bool | None) -> dict[str, Any]:  # noqa: FBT001 - three-valued
    """Return figures on either side of a third; only their ratio counts."""
    if more is None:
        return {}
    return {"modification_compute": Bare("2" if more else "1"), "original_compute": Bare("3")}


def _excluded(reader: Reader, place: str, known: Mapping[str, Any]) -> str | None:
    """Return what takes a product out of the CRA; a medical device is one whatever else is said (CRA 2(2))."""
    if "medical_device" in (ticked(reader.sheet, f"{place}.purpose") or ()):
        return "medical_device"
    return reader.choice(f"{place}.excluded", (NONE, *known))


def _products(reader: Reader, places: list[str]) -> Iterator[dict[str, Any]]:
    law, sheet = rules.load().cra, reader.sheet
    for place in places:
        if truth(sheet, f"{place}.shipped"):
            yield {
                "name": name_of(reader, place),
                "role": "manufacturer",
                "digital_elements": True,
                "commercial": truth(sheet, f"{place}.commercial"),
                "core_function": reader.choice(f"{place}.function", law["core_functions"]),
                "excluded_as": _excluded(reader, place, law["exclusions"]),
                "open_source": truth(sheet, f"{place}.free"),
                "placed_on_market": reader.choice(f"{place}.placed", PLACED),
            }
