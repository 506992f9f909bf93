"""What is stated of customers: an opaque id, codes, hours, ids of things; names are erasable. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ringfence.customers.model import Customer, CustomerId, Occasion, Wanted
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

REGISTERED = PredicateName("customer.registered")
CHANGED = PredicateName("customer.changed")
REMOVED = PredicateName("customer.removed")
ANSWERED = PredicateName("customer.answered")
PACKED = PredicateName("customer.packed")
ANNOUNCED = PredicateName("customer.announced")
ENTRIES = (REGISTERED, CHANGED, REMOVED)
EVERYTHING = (*ENTRIES, ANSWERED, PACKED, ANNOUNCED)

_HOURS = {occasion: f"{occasion}Hours" for occasion in Occasion}


def registered(name: CustomerId, wanted: Wanted, things: tuple[str, ...], by: Person) -> Draft:
    """State that somebody entered a customer."""
    return _entry(REGISTERED, name, wanted, things, by)


def changed(name: CustomerId, wanted: Wanted, things: tuple[str, ...], by: Person) -> Draft:
    """State what holds of a customer from now on, all of it."""
    return _entry(CHANGED, name, wanted, things, by)


def removed(one: Customer, by: Person, because: str) -> Draft:
    """State that somebody is a customer no longer; clocks that ran go on."""
    return _about(REMOVED, one.id, {"customer": one.id, "by": by.id}, {"because": because})


def answered(name: CustomerId, counts: Mapping[str, int], by: Person, details: Mapping[str, Any]) -> Draft:
    """State that a questionnaire was answered, in numbers; questions and answers can be erased."""
    return _about(ANSWERED, name, {"customer": name, "by": by.id, **counts}, details)


def packed(name: CustomerId, by: Person, report: Digest, size: int, root: bytes) -> Draft:
    """State that a pack was made for a customer: which report closes it, over which head."""
    claims = {"customer": name, "by": by.id, "report": str(report), "size": size, "root": root.hex()}
    return _about(PACKED, name, claims, {}, Strength.OBSERVED)


def announced(one: CustomerId, subprocessor: str, name: str, at: datetime, by: Person) -> Draft:
    """State that a customer was told of a new subprocessor; its name is erasable."""
    claims = {"customer": one, "by": by.id, "subprocessor": subprocessor, "announcedAt": to_text(at)}
    return _about(ANNOUNCED, one, claims, {"name": name})


def hours_of(claims: Mapping[str, Any]) -> dict[Occasion, int]:
    """Return the hours that claims name."""
    return {occasion: claims[name] for occasion, name in _HOURS.items() if name in claims}


def subject(name: CustomerId) -> Subject:
    """Return the subject of every statement about a customer; the id is random, so its digest tells nothing."""
    return Subject(name.replace("-", "/", 1), Digest.of(name.encode()))


def _entry(predicate: PredicateName, name: CustomerId, wanted: Wanted, things: tuple[str, ...], by: Person) -> Draft:
    claims: dict[str, Any] = {
        "customer": name,
        "by": by.id,
        "regimes": sorted(wanted.regimes),
        "country": wanted.country,
        "clauses": sorted(set(wanted.clauses)),
        "things": sorted(things),
        **{_HOURS[occasion]: hours for occasion, hours in wanted.hours.items()},
    }
    details = {"name": wanted.name} | ({"reference": wanted.reference} if wanted.reference else {})
    return _about(predicate, name, claims, details)


def _about(
    predicate: PredicateName,
    name: CustomerId,
    claims: Mapping[str, Any],
    details: Mapping[str, Any],
    strength: Strength = Strength.DECLARED,
) -> Draft:
    return Draft(predicate, (subject(name),), claims, strength, details)
