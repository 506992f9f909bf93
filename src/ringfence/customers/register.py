"""The register of customers: a fold over the log's statements. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ringfence.customers import statements
from ringfence.customers.model import (
    Announced,
    Answered,
    Contract,
    Customer,
    CustomerId,
    Handed,
    Occasion,
    Regime,
    Register,
    contract_at,
)
from ringfence.incidents.terms import PROPOSAL
from ringfence.kernel.clock import from_text
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.obligations.choices import Selected

DEFAULT_HOURS = 12  # a proposal of this project where a contract names none
FINANCIAL_HOURS = 4  # likewise: so that a financial entity can keep its own four


def fold(logged: Iterable[LoggedStatement]) -> Register:
    """Return the register that the control plane's statements add up to, in log order."""
    known: dict[CustomerId, Customer] = {}
    packs, answers = [], []
    for one in logged:
        if one.standing is not Standing.TRUSTED or one.issuer is None or one.issuer.role is not KeyRole.CONTROL_PLANE:
            continue
        claims = one.envelope.statement.claims
        name = CustomerId(str(claims.get("customer")))
        match one.envelope.statement.predicate:
            case statements.REGISTERED | statements.CHANGED:
                known[name] = _entered(known.get(name), one)
            case statements.REMOVED if name in known:
                known[name] = replace(known[name], removed_at=one.recorded_at)
            case statements.ANNOUNCED if name in known:
                known[name] = _told(known[name], one)
            case statements.PACKED:
                packs.append(_handed(name, one))
            case statements.ANSWERED:
                answers.append(_answered(name, one))
            case _:
                pass
    return Register(known, tuple(packs), tuple(answers))


@dataclass(frozen=True, slots=True)
class Notice:
    """The hours for a notice of an incident, whether the contract names them, and who does otherwise."""

    hours: int
    agreed: bool
    basis: str


def notice(contract: Contract, chosen: Selected | None = None) -> Notice:
    """Return the contract's hours, or those of the profile in force where they are no more than our proposal.

    A profile names minutes by kinds of its own. Of which kind an incident will be is not known here, so that the
    shortest counts, in whole hours.
    """
    agreed = contract.hours.get(Occasion.INCIDENT)
    if agreed is not None:
        return Notice(agreed, agreed=True, basis="the contract")
    proposal = FINANCIAL_HOURS if Regime.DORA in contract.regimes else DEFAULT_HOURS
    proposed = Notice(proposal, agreed=False, basis=PROPOSAL)
    given = chosen.profile.notice if chosen else {}
    if chosen is None or not given:
        return proposed
    minutes, kind = min((value, name) for name, value in given.items())
    hours = max(1, minutes // 60)
    shortest = f"{kind.replace('_', ' ')}, {minutes} min"
    said = f"those of the profile {chosen.profile.id}, the shortest that it names ({shortest})"
    return Notice(hours, agreed=False, basis=said) if hours <= proposed.hours else proposed


def notices(contracts: Sequence[Contract], chosen: Sequence[Selected]) -> tuple[tuple[datetime, Notice], ...]:
    """Return each notice with the time since when it held, the oldest first; contracts and profiles both change."""
    events: list[tuple[datetime, Contract | Selected]] = [(one.since, one) for one in chosen if one.since is not None]
    events += [(contract.since, contract) for contract in contracts]
    found, contract, profile = [], None, None
    for at, one in sorted(events, key=lambda event: event[0]):
        contract, profile = (one, profile) if isinstance(one, Contract) else (contract, one)
        if contract is not None:
            found.append((at, notice(contract, profile)))
    return tuple(found)


def _entered(before: Customer | None, one: LoggedStatement) -> Customer:
    claims = one.envelope.statement.claims
    details = _details(one)
    regimes, hours = tuple(Regime(name) for name in claims["regimes"]), statements.hours_of(claims)
    return Customer(
        id=CustomerId(claims["customer"]),
        name=str(details.get("name", "")),
        reference=str(details.get("reference", "")),
        regimes=regimes,
        country=claims["country"],
        hours=hours,
        clauses=tuple(claims["clauses"]),
        things=tuple(claims["things"]),
        by=PersonId(claims["by"]),
        entry=one.entry,
        changed_at=one.recorded_at,
        contracts=(*(before.contracts if before else ()), Contract(one.recorded_at, hours, regimes)),
        given_up=_given_up(before, frozenset(claims["things"]), one.entry),
        announced=before.announced if before else (),
    )


def _told(before: Customer, one: LoggedStatement) -> Customer:
    claims, at = one.envelope.statement.claims, from_text(one.envelope.statement.claims["announcedAt"])
    hours = contract_at(before.contracts, at).hours.get(Occasion.SUBPROCESSOR)
    name, by = str(_details(one).get("name", "")), PersonId(claims["by"])
    told = Announced(claims["subprocessor"], name, at, hours, by, one.entry, one.recorded_at)
    return replace(before, announced=(*before.announced, told))


def _given_up(before: Customer | None, things: frozenset[str], entry: int) -> Mapping[str, int]:
    if before is None:
        return {}
    ended = {**before.given_up, **dict.fromkeys(before.things, entry)}
    return {name: at for name, at in ended.items() if name not in things}


def _details(one: LoggedStatement) -> Mapping[str, Any]:
    return one.opening.details if one.opening else {}


def _handed(name: CustomerId, one: LoggedStatement) -> Handed:
    claims = one.envelope.statement.claims
    by = PersonId(claims["by"])
    return Handed(name, one.entry, one.recorded_at, by, claims["report"], claims["size"], claims["root"])


def _answered(name: CustomerId, one: LoggedStatement) -> Answered:
    claims = one.envelope.statement.claims
    counted = (claims["questions"], claims["unmatched"], claims["withoutEvidence"])
    return Answered(name, one.entry, one.recorded_at, *counted)
