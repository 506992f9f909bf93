"""Which Member State has jurisdiction (NIS2 26), and whether its act is in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.obligations.scope.model import Establishment, Service
from ringfence.obligations.scope.organisation import NO_REPRESENTATIVE, UNDETERMINABLE
from ringfence.obligations.scope.rules import MemberState, Rules


@dataclass(frozen=True, slots=True)
class Seat:
    """The Member States that have jurisdiction under one rule; `open_inputs` where that is not determined."""

    states: frozenset[str]
    provision: str
    because: str
    open_inputs: tuple[str, ...] = ()


def seats(where: Establishment, services: tuple[Service, ...] | None, law: Rules) -> tuple[Seat, ...]:
    """Return one seat per rule that the organisation's services call for; without a service the default rule."""
    kinds = [service.activity.type for service in services or ()]
    if services is None and not _one_state(where, law):
        return (Seat(_inside(where.countries, law), "NIS2 26(1)", "depends on the services", ("services",)),)
    found: dict[str, Seat] = {}
    for kind in kinds:
        if kind.has("main_establishment"):
            found["main"] = _main(where, law)
        elif kind.has("telecom"):
            found["served"] = _served(where, law)
        elif kind.has("public_administration"):
            found["public"] = _established(where, law, "NIS2 26(1)(c)", "the Member State that established it")
        elif kind.annex or kind.has("dora"):
            found["default"] = _default(where, law)
    return tuple(found.values()) or (_default(where, law),)


def _default(where: Establishment, law: Rules) -> Seat:
    """Return the states of establishment; whoever has none in the Union answers by a representative (26(3))."""
    if where.countries is not None and not _inside(where.countries, law):
        return _represented(where, law)
    return _established(where, law, "NIS2 26(1)", "every Member State of establishment")


def _one_state(where: Establishment, law: Rules) -> bool:
    return where.countries is not None and len(_inside(where.countries, law)) == 1


def _inside(codes: Sequence[str] | None, law: Rules) -> frozenset[str]:
    return frozenset(code for code in codes or () if code in law.member_states)


def _established(where: Establishment, law: Rules, provision: str, because: str) -> Seat:
    if where.countries is None:
        return Seat(frozenset(), provision, because, ("established_in",))
    return Seat(_inside(where.countries, law), provision, because)


def _served(where: Establishment, law: Rules) -> Seat:
    because = "every Member State where the communications services are provided"
    if where.serves is None:
        return Seat(frozenset(), "NIS2 26(1)(a)", because, ("serves",))
    return Seat(_inside(where.serves, law), "NIS2 26(1)(a)", because)


def _main(where: Establishment, law: Rules) -> Seat:
    if where.countries is None:
        return Seat(frozenset(), "NIS2 26(1)(b), 26(2)", "the main establishment", ("established_in",))
    states = _inside(where.countries, law)
    if not states:
        return _represented(where, law)
    if len(states) == 1:
        return Seat(states, "NIS2 26(1)(b), 26(2)", "the only Member State of establishment")
    return _chosen(where, states, law)


_STEPS = (
    ("risk_decisions", "where risk-management decisions are predominantly taken"),
    ("security_operations", "where cybersecurity operations are carried out"),
    ("most_employees", "the establishment with most employees in the Union"),
)


def _chosen(where: Establishment, states: frozenset[str], law: Rules) -> Seat:
    for name, because in _STEPS:
        code = getattr(where, name)
        if code is None:
            return Seat(states, "NIS2 26(2)", because, (f"main_establishment.{name}",))
        if code != UNDETERMINABLE and code in law.member_states:
            return Seat(frozenset({code}), "NIS2 26(1)(b), 26(2)", because)
    return Seat(states, "NIS2 26(2)", "the main establishment", ("main_establishment.most_employees",))


def _represented(where: Establishment, law: Rules) -> Seat:
    because = "not established in the Union: the Member State of the representative"
    if where.serves is not None and not _inside(where.serves, law):
        return Seat(frozenset(), "NIS2 26(3)", "neither established in the Union nor offering services there")
    if where.representative is None:
        return Seat(_inside(where.serves, law), "NIS2 26(3)", because, ("representative",))
    if where.representative == NO_REPRESENTATIVE:
        if where.serves is None:
            return Seat(frozenset(), "NIS2 26(3)", because, ("serves",))
        without = "without a representative every Member State where services are offered may act"
        return Seat(_inside(where.serves, law), "NIS2 26(3)", without)
    return Seat(frozenset({where.representative}), "NIS2 26(3)", because)


def in_force(state: MemberState, on: date) -> bool | None:
    """Say whether the national act is in force on a day; None where the stored sources end before the outcome."""
    if state.in_force is not None:
        return state.in_force <= on
    return None if state.status == "unknown" else False


def described(state: MemberState, seat: Seat, on: date) -> Mapping[str, Any]:
    """Return the row that is printed for a Member State."""
    return {
        "member_state": state.code,
        "provision": seat.provision,
        "national_act": state.act,
        "in_force": state.in_force.isoformat() if state.in_force else None,
        "applies": {True: "binding", False: "upcoming", None: "unknown"}[in_force(state, on)],
        "authority": state.authority,
        "csirt": state.csirt,
        "portal": state.portal,
        "source": state.source,
        "verified_on": state.verified_on,
        "last_known": state.last_known,
    }
