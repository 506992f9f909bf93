"""Classify an organisation under NIS2, the AI Act and the CRA, with every reason and every gap."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from ringfence.obligations.scope import (
    cra,
    customers,
    entity,
    fines,
    gdpr,
    jurisdiction,
    rules,
    significance,
    systems,
)
from ringfence.obligations.scope.answer import UNDETERMINED, Gap, Notes, Reason, Upcoming
from ringfence.obligations.scope.entity import Standing
from ringfence.obligations.scope.jurisdiction import Seat
from ringfence.obligations.scope.model import Organisation
from ringfence.obligations.scope.nis2 import Category
from ringfence.obligations.scope.rules import Rules
from ringfence.obligations.scope.size import SizeClass

DISCLAIMER = "Paraphrase for implementation, not legal advice."


@dataclass(frozen=True, slots=True)
class Place:
    """Where the entity answers, and whether national law binds it there yet."""

    code: str  # one code, several joined by commas, `none`, or `undetermined`
    rows: tuple[Mapping[str, Any], ...]
    applies: str  # binding | upcoming | undetermined


def classify(organisation: Organisation, on: date) -> dict[str, Any]:
    """Return the whole answer as one JSON document; `on` decides what is still upcoming."""
    law = rules.load()
    standing = entity.assess(
        organisation.size, organisation.services, organisation.designations, organisation.establishment
    )
    notes = entity.explain(standing, organisation.services, organisation.size)
    place = _place(organisation, standing, law, on, notes)
    contract = notes.take(customers.flow_down(organisation.customers or (), law, on))
    ai_rows = notes.take(systems.classify(organisation.ai_systems or (), on))
    products = notes.take(cra.classify(organisation.products or (), law, on))
    privacy = notes.take(gdpr.touch_points(organisation, law))
    known = contract if organisation.customers is not None else None
    _missing_lists(organisation, notes)
    return {
        "nis2": _nis2(standing, place),
        "binds_2690": _binds(standing, place),
        "jurisdiction": place.code,
        "supply_chain_duty_only": _by_contract(standing, known, notes),
        "ai_act": list(ai_rows),
        "cra": list(products),
        "fines": _fines(organisation, standing, place, ai_rows, products, on, notes),
        "concerns_2690": standing.binds_2690,
        "size": _size(standing),
        "lex_specialis": _lex_specialis(standing),
        "personal_data": gdpr.processes(organisation),
        "personal_data_kind": organisation.personal_data,
        "gdpr": list(privacy),
        "turnovers": significance.turnovers(organisation, standing),
        "jurisdictions": list(place.rows),
        "customers": list(contract),
        "reasons": [asdict(reason) for reason in notes.reasons],
        "undetermined": [_gap(gap) for gap in notes.gaps],
        "upcoming": [asdict(row) for row in sorted(set(notes.upcoming), key=_when)],
        "rules": {"digest": str(law.digest), "verified_on": law.verified_on},
        "on": on.isoformat(),
        "disclaimer": DISCLAIMER,
    }


def _nis2(standing: Standing, place: Place) -> dict[str, Any]:
    category = standing.category
    bound = bool(standing.categories - {Category.OUT_OF_SCOPE})
    return {
        "category": category or UNDETERMINED,
        "provision": standing.provision,
        "status": place.applies if bound else "not applicable",
        "possible": sorted(standing.categories),
        "types": sorted({named for outcome in standing.outcomes for named in outcome.types}),
    }


def _size(standing: Standing) -> str:
    return next(iter(standing.sizes)).text if len(standing.sizes) == 1 else UNDETERMINED


def _lex_specialis(standing: Standing) -> str | None:
    return {True: "DORA", False: None, None: UNDETERMINED}[standing.dora]


def _binds(standing: Standing, place: Place) -> bool | None:
    """Say whether 2024/2690 binds now: not before a national act is in force (then it is upcoming)."""
    if standing.binds_2690 is False or place.applies == "upcoming":
        return False
    return standing.binds_2690 if place.applies == "binding" else None


def _place(organisation: Organisation, standing: Standing, law: Rules, on: date, notes: Notes) -> Place:
    held = tuple(service for service in organisation.services or () if service.holds is not False)
    services = None if organisation.services is None else held
    seats = jurisdiction.seats(organisation.establishment, services, law)
    rows = tuple(
        jurisdiction.described(law.member_states[code], seat, on)
        for seat in seats
        for code in sorted(seat.states)
        if code in law.member_states
    )
    codes = sorted({row["member_state"] for row in rows})
    for seat in seats:
        _explain_seat(seat, notes)
    open_inputs = any(seat.open_inputs for seat in seats)
    code = UNDETERMINED if open_inputs and len(codes) != 1 else ",".join(codes) or "none"
    place = Place(code, rows, _applies(rows, open_inputs=open_inputs))
    if standing.categories != {Category.OUT_OF_SCOPE}:
        _explain_place(place, standing, notes)
    return place


def _applies(rows: Iterable[Mapping[str, Any]], *, open_inputs: bool) -> str:
    """Join the Member States that have jurisdiction: one act in force binds; unknown candidates must agree."""
    found = {row["applies"] for row in rows}
    if not found or found == {"unknown"}:
        return UNDETERMINED
    if open_inputs:
        return found.pop() if len(found) == 1 else UNDETERMINED
    if "binding" in found:
        return "binding"
    return "upcoming" if found == {"upcoming"} else UNDETERMINED


def _explain_seat(seat: Seat, notes: Notes) -> None:
    answer = ", ".join(sorted(seat.states)) or "none"
    if seat.open_inputs:
        notes.gaps.append(Gap("jurisdiction", tuple(sorted(seat.states)) or ("any",), seat.open_inputs))
        answer = UNDETERMINED
    notes.reasons.append(Reason("jurisdiction", answer, seat.provision, seat.because))


def _explain_place(place: Place, standing: Standing, notes: Notes) -> None:
    for row in place.rows:
        act = row["national_act"] or "no act found"
        subject = f"national law {row['member_state']}"
        notes.reasons.append(Reason(subject, row["applies"], act, _since(row), row["source"]))
        if row["applies"] == "unknown":
            name = f"national law {row['member_state']}"
            notes.gaps.append(Gap(name, ("in force", "not in force"), ("the outcome of the national bill",)))
        if row["applies"] != "binding":
            _announce(row, standing, notes)


def _since(row: Mapping[str, Any]) -> str:
    if not row["in_force"]:
        return f"not in force in the stored sources; {row['last_known']}".rstrip("; ")
    return f"in force {'since' if row['applies'] == 'binding' else 'from'} {row['in_force']}"


def _announce(row: Mapping[str, Any], standing: Standing, notes: Notes) -> None:
    """Show as upcoming what waits for a national act (directives bind nobody by themselves)."""
    because = f"no national act is known to be in force in {row['member_state']} (verified on {row['verified_on']})"
    if row["in_force"]:
        because = f"the national act of {row['member_state']} is in force from {row['in_force']}"
    subject = f"national law {row['member_state']}"
    what = "NIS2 duties of an entity that is " + " or ".join(sorted(standing.categories - {Category.OUT_OF_SCOPE}))
    notes.upcoming.append(Upcoming(subject, what, row["in_force"], "NIS2 41", because))
    if standing.binds_2690 is not False:
        what = "Implementing Regulation (EU) 2024/2690"
        notes.upcoming.append(Upcoming(subject, what, row["in_force"], "2024/2690 1", because))


def _by_contract(standing: Standing, rows: tuple[Mapping[str, Any], ...] | None, notes: Notes) -> bool | None:
    only = customers.only_by_contract(standing, rows)
    if only is None:
        inputs = ("customers",) if rows is None else (*standing.category_open, "customers")
        notes.gaps.append(Gap("supply_chain_duty_only", ("true", "false"), inputs))
    if only:
        because = "outside NIS2 itself; duties arrive by contract from customers that are regulated"
        notes.reasons.append(Reason("supply_chain_duty_only", "true", "NIS2 21(2)(d), 21(3); DORA 28-30", because))
    return only


def _missing_lists(organisation: Organisation, notes: Notes) -> None:
    for key in ("customers", "ai_systems", "products"):
        if getattr(organisation, key) is None:
            notes.gaps.append(Gap(key, ("anything",), (key,)))


def _fines(
    organisation: Organisation,
    standing: Standing,
    place: Place,
    ai_rows: tuple[Mapping[str, Any], ...],
    products: tuple[Mapping[str, Any], ...],
    on: date,
    notes: Notes,
) -> list[Mapping[str, Any]]:
    base = fines.Base(organisation.undertaking_turnover, standing.sizes, organisation.size.small_mid_cap)
    public = standing.public
    own = fines.nis2(standing.category, base, status=place.applies, public=public) if standing.dora is False else []
    privacy = fines.gdpr(gdpr.processes(organisation), base)
    if own and privacy:
        because = "what was fined under the GDPR is not fined again under NIS2; other measures stay possible"
        notes.reasons.append(Reason("fines", "once for the same conduct", "NIS2 35", because))
    rows = [*own, *fines.ai_act(ai_rows, base, on), *fines.cra(products, base, on), *privacy]
    notes.gaps.extend(fines.gaps(rows, base, standing))
    if base.sizes <= {SizeClass.MICRO, SizeClass.SMALL} and any(row["role"] == "manufacturer" for row in products):
        because = "a micro or small manufacturer is not fined for missing the early warnings of 14(2)(a) and 14(4)(a)"
        notes.reasons.append(Reason("fines", "not for early warnings", "CRA 64(10)", because))
    return rows


def _gap(gap: Gap) -> dict[str, Any]:
    return {"subject": gap.subject, "possible": list(gap.possible), "decided_by": list(gap.decided_by)}


def _when(row: Upcoming) -> tuple[str, str, str]:
    return row.applies_from or "9999", row.subject, row.what
