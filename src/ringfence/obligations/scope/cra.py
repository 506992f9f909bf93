"""Role and class of a product under the Cyber Resilience Act; the core functionality decides (Art 7(1))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.obligations.scope.answer import UNDETERMINED, Gap, Notes, Part, Reason, Upcoming
from ringfence.obligations.scope.completion import options, resolve
from ringfence.obligations.scope.model import Product
from ringfence.obligations.scope.rules import Rules, day

OUT_OF_SCOPE = "out_of_scope"
STEWARD = "open_source_steward"
REPORTING = ("manufacturer", STEWARD, UNDETERMINED)  # in which roles Art 14 binds, or may


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one completion of a product leads to."""

    role: str
    kind: str
    provision: str


def classify(products: tuple[Product, ...], law: Rules, on: date) -> Part:
    """Return a row per product."""
    notes = Notes()
    rows = tuple(_row(product, law, on, notes) for product in products)
    return Part(rows, tuple(notes.reasons), tuple(notes.gaps), tuple(notes.upcoming))


def inputs(product: Product, law: Rules) -> dict[str, Sequence[Any]]:
    """Return the completions of a product, by input."""
    return {
        "role": tuple(law.cra["roles"]) if product.role is None else (product.role,),
        "digital_elements": options(product.digital_elements),
        "commercial": options(product.commercial),
        "core_function": tuple(law.cra["core_functions"])
        if product.core_function is None
        else (product.core_function,),
        "excluded_as": ("none", *law.cra["exclusions"]) if product.excluded_as is None else (product.excluded_as,),
    }


def decide(law: Rules, role: str, digital: bool, commercial: bool, function: str, excluded: str) -> Outcome:  # noqa: FBT001
    """Return role and class of one completion."""
    actual = law.cra["roles"][role]["role"]
    if not digital:
        return Outcome(actual, OUT_OF_SCOPE, "CRA 2(1), 3(2)")
    if excluded != "none":
        return Outcome(actual, OUT_OF_SCOPE, f"CRA {law.cra['exclusions'][excluded]}")
    if actual == STEWARD:
        return Outcome(actual, STEWARD, "CRA 24")
    if not commercial:
        return Outcome(actual, OUT_OF_SCOPE, "CRA 2: not in the course of a commercial activity")
    kind = law.cra["core_functions"][function]
    return Outcome(actual, kind, law.cra["refs"][kind])


def _row(product: Product, law: Rules, on: date, notes: Notes) -> Mapping[str, Any]:
    result = resolve(inputs(product, law), lambda *values: decide(law, *values))
    subject = f"product {product.name}"
    roles = {outcome.role for outcome in result.outcomes}
    kinds = {outcome.kind for outcome in result.outcomes}
    provisions = "; or ".join(sorted({outcome.provision for outcome in result.outcomes}))
    kind = next(iter(kinds)) if len(kinds) == 1 else UNDETERMINED
    role = next(iter(roles)) if len(roles) == 1 else UNDETERMINED
    possible = tuple(sorted({f"{outcome.role}: {outcome.kind}" for outcome in result.outcomes}))
    if UNDETERMINED in (kind, role):
        notes.gaps.append(Gap(subject, possible, result.deciding))
    because = "the core functionality decides; an important component does not make the whole product important"
    notes.reasons.append(Reason(subject, f"{role}, {kind}", provisions, because))
    row: dict[str, Any] = {"product": product.name, "class": kind, "role": role, "provision": provisions}
    if UNDETERMINED in (kind, role):
        row["possible"] = list(possible)
    return row | _dates(product, kind, role, law, on, notes)


def _dates(product: Product, kind: str, role: str, law: Rules, on: date, notes: Notes) -> dict[str, Any]:
    """Return when reporting and the rest apply, and by which route conformity is shown."""
    if kind in (OUT_OF_SCOPE, UNDETERMINED):
        return {"reporting_from": None, "applies_from": None, "route": None}
    rest = law.cra["dates"]["rest"]
    reporting = law.cra["dates"]["reporting"] if role in REPORTING else None
    subject = f"product {product.name}"
    for since, what, ref in ((reporting, "reporting", "CRA 14, 71(2)"), (rest, "the other duties", "CRA 71(2)")):
        if since is not None and since > on.isoformat():
            notes.upcoming.append(Upcoming(subject, what, since, ref, "the regulation applies in steps"))
    if isinstance(product.placed_on, date) and product.placed_on < day(rest):
        older = f"placed before {rest}: those duties only on substantial modification, Art 14 in every case"
        notes.reasons.append(Reason(subject, "older product", "CRA 69(2)-(3)", older))
    return {"reporting_from": reporting, "applies_from": rest, "route": _route(product, kind, law)}


def _route(product: Product, kind: str, law: Rules) -> str | None:
    route: str | None = law.cra["routes"].get(kind)
    if product.open_source and kind.startswith("important"):
        return f"{route}; any procedure of 32(1) where the technical documentation is public (32(5))"
    return route
