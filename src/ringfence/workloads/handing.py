"""The signed report that closes a pack, where the pack is for one customer."""

from collections.abc import Mapping
from typing import Any

from ringfence.customers.model import CustomerId, customer_id
from ringfence.customers.service import Customers
from ringfence.identity.acting.ports import Target
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.reports.model import REPORT_EXPORTED


def handing(customers: Customers, targets: Mapping[PredicateName, Target]) -> dict[PredicateName, Target]:
    """Return the targets, with a report whose place is a customer led to the customers instead."""
    whole = targets[REPORT_EXPORTED]

    def taken(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        name = _customer(place)
        if name is None:
            return whole.submit(person, place, envelope, opening)
        made, _ = customers.pack(person, name, envelope, opening)
        return {"customer": name, "pack": made.entry, "report": made.report}

    def page(place: str) -> str:
        name = _customer(place)
        return whole.page(place) if name is None else f"/customers/{name}"

    return {**targets, REPORT_EXPORTED: Target(whole.action, whole.words, taken, page)}


def _customer(place: str) -> CustomerId | None:
    try:
        return customer_id(place)
    except MalformedInput:
        return None
