"""What named people entered beforehand for the day of an incident: customers' contracts, and the head of a report.

A JSON file in the home, `organisation.json`, read each time it is needed (docs/how-to/incident.md). It is strict: a
misspelled field must not be found out about in the night in which it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.incidents.reading import NAME
from ringfence.incidents.terms import Customer
from ringfence.kernel import identifier
from ringfence.kernel.digest import loads
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

FORMAT = "urn:ringfence:organisation:v1"
FIELDS = frozenset({"entity", "contact", "member_states_served", "affected_services"})
MAX_FILE = 2**18
MAX_CUSTOMERS = 1000
MAX_HOURS = 24 * 90
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one tenant."""

    customers: tuple[Customer, ...] = ()
    fields: Mapping[str, tuple[str, PersonId]] = field(default_factory=dict)


NOTHING = Profile()


def parse(data: bytes, *, source: str) -> Mapping[Tenant, Profile]:
    """Return the profile of each tenant; raise `MalformedInput` naming the field that is wrong."""
    match loads(data, source=source, limit=MAX_FILE):
        case {"format": kind, "tenants": dict() as tenants, **rest} if kind == FORMAT and not rest:
            return {identifier.tenant(name): _profile(value, f"{source}: {name}") for name, value in tenants.items()}
        case _:
            raise MalformedInput(f"the file has format {FORMAT!r} and tenants, nothing else", source=source)


def _profile(value: Any, source: str) -> Profile:
    if not isinstance(value, dict) or not value.keys() <= {"customers", "fields"}:
        raise MalformedInput("a tenant has customers and fields, nothing else", source=source)
    customers, fields = value.get("customers", []), value.get("fields", {})
    if not isinstance(customers, list) or len(customers) > MAX_CUSTOMERS or not isinstance(fields, dict):
        raise MalformedInput(f"customers is a list of at most {MAX_CUSTOMERS}, fields an object", source=source)
    found = tuple(_customer(customer, source) for customer in customers)
    if len({customer.id for customer in found}) != len(found):
        raise MalformedInput("two customers have the same id", source=source)
    return Profile(found, {name: _field(name, entry, source) for name, entry in fields.items()})


def _customer(value: Any, source: str) -> Customer:
    match value:
        case {"id": str() as name, **rest} if rest.keys() <= {"hours", "agreed"} and NAME.fullmatch(name):
            hours, agreed = rest.get("hours", Customer("").hours), rest.get("agreed", False)
            if type(hours) is not int or not 1 <= hours <= MAX_HOURS or type(agreed) is not bool:
                raise MalformedInput(f"{name}: hours is 1 to {MAX_HOURS}, agreed true or false", source=source)
            return Customer(name, hours, agreed)
        case _:
            raise MalformedInput(
                "a customer has an id of lower-case letters, digits, dots and hyphens, and hours and agreed if wanted",
                source=source,
            )


def _field(name: str, value: Any, source: str) -> tuple[str, PersonId]:
    match value:
        case {"text": str() as text, "by": str() as by, **rest} if (
            name in FIELDS and not rest and 1 <= len(text) <= MAX_TEXT
        ):
            return text, identifier.person_id(by)
        case _:
            known = ", ".join(sorted(FIELDS))
            raise MalformedInput(
                f"fields are {known}, each with text of at most {MAX_TEXT} characters and by, a person's id",
                source=source,
            )
