"""What reaches an organisation through its customers' contracts; never its own status."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ringfence.obligations.scope import entity, rules
from ringfence.obligations.scope.answer import UNDETERMINED, Gap, Notes, Part, Reason, Upcoming
from ringfence.obligations.scope.entity import Outcome, Standing
from ringfence.obligations.scope.jurisdiction import in_force
from ringfence.obligations.scope.model import (
    Customer,
    Designations,
    Earlier,
    Establishment,
    Exclusion,
    Identified,
    Size,
)
from ringfence.obligations.scope.nis2 import Category
from ringfence.obligations.scope.rules import Rules

IN_SCOPE = (Category.ESSENTIAL, Category.IMPORTANT)
_CLAUSES = "contract clauses, questionnaires and audits of its direct suppliers"
_WEIGHING = "weighs its suppliers' vulnerabilities, product quality and secure development"
_TOPICS = "the eight clause topics (a)-(h)"
_DORA = "mandatory contract content, register, audit, exit"
_AI = "a written agreement on information, capabilities and technical access for what is supplied"


def flow_down(customers: tuple[Customer, ...], law: Rules, on: date) -> Part:
    """Return per customer its status and the duties that it must pass on."""
    notes = Notes()
    rows = tuple(_row(customer, law, on, notes) for customer in customers)
    return Part(rows, tuple(notes.reasons), tuple(notes.gaps), tuple(notes.upcoming))


def _row(customer: Customer, law: Rules, on: date, notes: Notes) -> Mapping[str, Any]:
    standing = _standing(customer)
    subject = f"customer {customer.name}"
    category = standing.category
    if category is None:
        names = tuple(sorted(standing.categories))
        notes.gaps.append(Gap(f"{subject}: category", names, _inputs(customer, standing)))
    duties = [*_nis2_duties(customer, standing, law, on), *_other_duties(customer, standing, law, on)]
    for duty in duties:
        _note(subject, duty, customer, standing, notes)
    return {"customer": customer.name, "category": category or UNDETERMINED, "duties": duties}


def _standing(customer: Customer) -> Standing:
    return entity.assess(
        Size(customer.figures, Earlier.SAME_CLASS, (), None),
        customer.services,
        Designations(customer.designated_critical, Identified.NONE, False, Exclusion.NONE),  # noqa: FBT003
        _establishment(customer),
    )


def _establishment(customer: Customer) -> Establishment | None:
    """Return where a customer is that is not known to be in the Union; one of an unknown country may be outside."""
    if customer.country in rules.load().member_states:
        return None
    somewhere = tuple(sorted(rules.load().member_states)[:1])
    serves = {True: somewhere, False: (), None: None}[customer.serves_union]
    countries = None if customer.country is None else (customer.country,)
    return Establishment(countries, serves, None, None, None, None)


def _holds(standing: Standing, test: Callable[[Outcome], bool]) -> bool | None:
    found = {test(outcome) for outcome in standing.outcomes}
    return found.pop() if len(found) == 1 else None


def _both(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001 - three-valued
    if first is False or second is False:
        return False
    return True if first and second else None


def _nis2_duties(customer: Customer, standing: Standing, law: Rules, on: date) -> list[dict[str, Any]]:
    regulated = _holds(standing, lambda one: one.category in IN_SCOPE and not one.dora)
    listed = _holds(standing, lambda one: one.binds_2690)
    state = law.member_states.get(customer.country or "")
    known = customer.country is not None and (state is None or in_force(state, on) is not None)
    upcoming = state is not None and in_force(state, on) is False
    status = "upcoming" if upcoming else "binding" if known else UNDETERMINED
    held = {
        ("NIS2 21(2)(d)", _CLAUSES): _both(regulated, customer.direct),
        ("NIS2 21(3)", _WEIGHING): _both(regulated, customer.direct),
        ("2024/2690 Annex 5.1.4(a)-(h)", _TOPICS): _both(listed, customer.direct),
    }
    return [_duty(ref, what, holds, status, None) for (ref, what), holds in held.items() if holds is not False]


def _other_duties(customer: Customer, standing: Standing, law: Rules, on: date) -> list[dict[str, Any]]:
    later = law.ai_act["dates"]["annex_iii"]
    ai_status = "upcoming" if on.isoformat() < later else "binding"
    held = (
        ("DORA 28-30", _DORA, standing.dora, "binding", None),
        ("AI Act 25(4)", _AI, customer.high_risk_ai_provider, ai_status, later),
        ("GDPR 28(3)", "a processor contract", customer.personal_data, "binding", None),
    )
    return [_duty(ref, what, holds, status, since) for ref, what, holds, status, since in held if holds is not False]


def _duty(ref: str, what: str, holds: bool | None, status: str, since: str | None) -> dict[str, Any]:  # noqa: FBT001 - three-valued
    return {
        "provision": ref,
        "duty": what,
        "status": status if holds else UNDETERMINED,
        "applies_from": since,
        "certain": holds is True,
    }


def _note(subject: str, duty: Mapping[str, Any], customer: Customer, standing: Standing, notes: Notes) -> None:
    if not duty["certain"] or duty["status"] == UNDETERMINED:
        inputs = _inputs(customer, standing)
        if duty["provision"].startswith(("AI", "GDPR")):
            inputs = ("high_risk_ai_provider",) if duty["provision"].startswith("AI") else ("personal_data",)
        notes.gaps.append(Gap(f"{subject}: {duty['provision']}", ("applies", "does not apply yet or at all"), inputs))
        return
    notes.reasons.append(Reason(subject, f"contract duty, {duty['status']}", duty["provision"], duty["duty"]))
    if duty["status"] == "upcoming":
        because = "the customer's duty applies later" if duty["applies_from"] else "no national act is in force there"
        row = Upcoming(subject, duty["duty"], duty["applies_from"], duty["provision"], because)
        notes.upcoming.append(row)


def _inputs(customer: Customer, standing: Standing) -> tuple[str, ...]:
    """Name the customer's own keys that are still open."""
    renamed = {"designations.cer_critical_entity": "designated_critical", "services in the Union": "serves_union"}
    found = [renamed.get(name, name.removeprefix("size.")) for name in standing.category_open]
    found += [name for name in ("direct", "country") if getattr(customer, name) is None]
    return tuple(found) or ("the national act's entry into force",)


SUPPLY_CHAIN = ("NIS2", "2024/2690", "DORA", "AI Act")


def only_by_contract(own: Standing, rows: tuple[Mapping[str, Any], ...] | None) -> bool | None:
    """Say whether supply-chain duties reach the organisation by contract and NIS2 itself does not."""
    outside = {category not in IN_SCOPE for category in own.categories}
    if outside == {False}:
        return False
    if rows is None:
        return None
    certain = {duty["certain"] for row in rows for duty in row["duties"] if duty["provision"].startswith(SUPPLY_CHAIN)}
    if not certain:
        return False
    return True if True in certain and outside == {True} else None
