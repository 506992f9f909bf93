"""From a sheet of answers to the organisation that they describe, as its file would say it. Nothing is guessed."""

from typing import Any

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.wizard import cards
from ringfence.obligations.scope.wizard.model import Sheet, one, ticked, truth
from ringfence.obligations.scope.wizard.questions import CONDITIONS, MAX_ENTERPRISES, NONE
from ringfence.obligations.scope.wizard.reader import Reader

NAME = "organisation"  # stands where nobody gave a name


def organisation(sheet: Sheet) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the organisation, and what is wrong by field; a field that is wrong counts as unknown."""
    reader = Reader(sheet)
    country = reader.choice("country", cards.CODES)
    customers = cards.customers(reader, country)
    systems = cards.systems(reader)
    found = {
        "name": reader.text("name", NAME),
        **_places(reader, country),
        "size": _size(reader),
        "undertaking_turnover_worldwide": reader.money("worldwide"),
        "services": _services(reader),
        "designations": _designations(reader),
        "personal_data": reader.choice("personal_data", (NONE, "ordinary", "special")),
        "customers": customers,
        **systems,
    }
    return found, reader.wrong


def _places(reader: Reader, country: str | None) -> dict[str, Any]:
    states = rules.load().member_states
    serves = ticked(reader.sheet, "serves")
    return {
        "established_in": None if country is None else [country],
        "serves": None if serves is None else [code for code in serves if code in states],
        "representative": reader.choice("representative", (NONE, *states)),
    }


def _size(reader: Reader) -> dict[str, Any]:
    return {
        "staff": reader.number("staff"),
        "turnover": reader.money("turnover"),
        "balance": reader.money("balance"),
        "earlier_periods": reader.choice("earlier", ("same_class", "new_enterprise", "take_over")),
        "group": _group(reader),
        "small_mid_cap": truth(reader.sheet, "small_mid_cap"),
    }


def _group(reader: Reader) -> list[dict[str, Any]] | None:
    answer = truth(reader.sheet, "group")
    if not answer:
        return None if answer is None else []
    found = [_enterprise(reader, f"e{index}") for index in range(MAX_ENTERPRISES)]
    return [one for one in found if len(one) > 1] or None  # a group of which nothing is known is unknown


def _enterprise(reader: Reader, place: str) -> dict[str, Any]:
    relation = reader.choice(f"{place}.relation", ("linked", "partner"))
    share = reader.percent(f"{place}.share")
    if share is not None and relation == "partner" and not 25 <= float(share) <= 50:
        reader.wrong[f"{place}.share"] = "a partner holds, or is held by, 25 to 50 %; above half the votes it is linked"
        share = None
    found = {
        "name": f"enterprise {place[1:]}",
        "relation": relation,
        "capital_percent": share if relation == "partner" else None,
        "votes_percent": share if relation == "partner" else None,
        "exempt_investor": False if relation == "partner" else None,
        "staff": reader.number(f"{place}.staff"),
        "turnover": reader.money(f"{place}.turnover"),
        "balance": reader.money(f"{place}.balance"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _services(reader: Reader) -> list[Any] | None:
    """Return what is provided with the own sector; a list that may be longer than we know is unknown as a whole."""
    known = rules.load().activities
    provided, sector = ticked(reader.sheet, "services"), reader.choice("sector", (NONE, *known))
    if provided is None or sector is None:
        return None
    found: list[Any] = [word for word in provided if word in known]
    return found if sector == NONE else [*found, _sector(reader, sector)]


def condition_of(sheet: Sheet) -> str:
    """Return the condition on which the type of the own sector depends; empty where there is none."""
    activity = rules.load().activities.get(one(sheet, "sector") or "")
    if activity is None:
        return ""
    return "qualified" if activity.id == "trust_service_provider" else activity.type.condition


def _sector(reader: Reader, sector: str) -> Any:
    condition = condition_of(reader.sheet)
    if condition not in CONDITIONS:
        return sector
    answer = truth(reader.sheet, "condition")
    return {"type": sector} | ({} if answer is None else {condition: answer})


def _designations(reader: Reader) -> dict[str, Any]:
    words = (NONE, "cer", "essential", "important", "former", "public_security", "dora_exemption")
    word = reader.choice("designated", words)
    if word is None:
        return {}
    return {
        "cer_critical_entity": word == "cer",
        "identified_by_member_state": word if word in ("essential", "important") else NONE,
        "former_operator_of_essential_services": word == "former",
        "exclusion": word if word in ("public_security", "dora_exemption") else NONE,
    }
