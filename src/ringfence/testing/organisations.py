"""Organisations for tests: one that is known in full, and changes to it."""

import json
from datetime import date
from typing import Any

from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse

ON = date(2026, 11, 22)
NOTHING = object()  # a change to this takes the key out


def profile(**changes: Any) -> dict[str, Any]:
    """Return a small German firm without an annex type, changed; `a__b=c` changes the key b below a."""
    found: dict[str, Any] = {
        "name": "Example",
        "established_in": ["DE"],
        "serves": ["DE"],
        "size": {
            "staff": 20,
            "turnover": 4_000_000,
            "balance": 3_000_000,
            "earlier_periods": "same_class",
            "group": [],
            "small_mid_cap": False,
        },
        "undertaking_turnover_worldwide": 4_000_000,
        "services": ["none_of_these"],
        "designations": {
            "cer_critical_entity": False,
            "identified_by_member_state": "none",
            "former_operator_of_essential_services": False,
            "exclusion": "none",
        },
        "personal_data": "none",
        "customers": [],
        "ai_systems": [],
        "products": [],
    }
    for path, value in changes.items():
        *folders, key = path.split("__")
        place = found
        for folder in folders:
            place = place[folder]
        if value is NOTHING:
            place.pop(key, None)
        else:
            place[key] = value
    return found


def answer(organisation: dict[str, Any] | None = None, *, on: date = ON, **changes: Any) -> dict[str, Any]:
    """Classify an organisation by way of the file format."""
    data = json.dumps(profile(**changes) if organisation is None else organisation).encode()
    return classify(parse(data, source="test.json"), on)


def system(**changes: Any) -> dict[str, Any]:
    """Return an AI system without any purpose that matters, changed."""
    found: dict[str, Any] = {
        "name": "system",
        "kind": "system",
        "activities": ["develops_under_own_name"],
        "purposes": ["other"],
        "union_link": True,
        "research_only": False,
        "open_source": False,
        "annex_i_product": "none",
        "product_or_safety_component": False,
        "third_party_assessment": False,
        "narrow_task_6_3": False,
        "profiling": False,
        "placed_on_market": "not_yet",
    }
    return {key: value for key, value in (found | changes).items() if value is not NOTHING}


def model(**changes: Any) -> dict[str, Any]:
    """Return a general-purpose model without systemic risk, changed."""
    found: dict[str, Any] = {
        "name": "model",
        "kind": "model",
        "activities": ["develops_under_own_name"],
        "union_link": True,
        "research_only": False,
        "open_source": False,
        "general_purpose": True,
        "generates_language_or_images": True,
        "training_compute": 10**24,
        "high_impact_capabilities": False,
        "placed_on_market": "not_yet",
    }
    return {key: value for key, value in (found | changes).items() if value is not NOTHING}


def product(**changes: Any) -> dict[str, Any]:
    """Return a commercial product of the default class, changed."""
    found: dict[str, Any] = {
        "name": "product",
        "role": "manufacturer",
        "digital_elements": True,
        "commercial": True,
        "core_function": "other",
        "excluded_as": "none",
        "open_source": False,
        "placed_on_market": "not_yet",
    }
    return {key: value for key, value in (found | changes).items() if value is not NOTHING}


def customer(**changes: Any) -> dict[str, Any]:
    """Return a large hospital that is a direct customer, changed."""
    found: dict[str, Any] = {
        "name": "hospital",
        "country": "DE",
        "services": ["healthcare_provider"],
        "staff": 2000,
        "serves_union": True,
        "designated_critical": False,
        "direct": True,
        "personal_data": False,
        "high_risk_ai_provider": False,
    }
    return {key: value for key, value in (found | changes).items() if value is not NOTHING}
