"""What incidents ask about the tenant itself: its own classification in the log, and the file that people filled in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ringfence.customers import model as customers
from ringfence.customers import register
from ringfence.customers.statements import ENTRIES
from ringfence.incidents import profile, thresholds
from ringfence.incidents.profile import Profile
from ringfence.incidents.terms import Category, Customer, Standing, Threshold
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Statement
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.model import Standing as KeyStanding
from ringfence.obligations.choices import Selected
from ringfence.storage.files import read_private

CLASSIFIED = PredicateName("entity.classification")
FILE = "organisation.json"
NATIONAL = frozenset({"none", "undetermined"})

Statements = Callable[[Tenant, Sequence[PredicateName]], Sequence[LoggedStatement]]


@dataclass(frozen=True, slots=True)
class Organisation:
    """`incidents.ports.Organisation` over the log and `organisation.json`."""

    statements: Statements
    file: Path
    profiles: Callable[[Tenant], Sequence[Selected]]  # put in force, the oldest first

    def standing(self, tenant: Tenant) -> Standing:
        """Return the newest own classification by a key that is in force; `undetermined` where there is none."""
        found = [one for one in self.statements(tenant, [CLASSIFIED]) if one.standing is KeyStanding.TRUSTED]
        return standing_of(found[-1].envelope.statement) if found else Standing(Category.UNDETERMINED)

    def customers(self, tenant: Tenant) -> Sequence[Customer]:
        """Return the customers whose contracts ask for a notice: those of the register, and those of the file."""
        entered, chosen = register.fold(self.statements(tenant, ENTRIES)).everybody.values(), self.profiles(tenant)
        found = [_of_register(one, chosen) for one in entered]
        known = {one.id for one in found}
        return (*(one for one in self._profile(tenant).customers if one.id not in known), *found)

    def profile(self, tenant: Tenant) -> Mapping[str, tuple[str, PersonId]]:
        """Return what named people entered beforehand."""
        return self._profile(tenant).fields

    def _profile(self, tenant: Tenant) -> Profile:
        if not self.file.exists():
            return profile.NOTHING
        return profile.parse(read_private(self.file), source=self.file.name).get(tenant, profile.NOTHING)


def _of_register(one: customers.Customer, chosen: Sequence[Selected]) -> Customer:
    """Return a customer of the register as incidents see it; nodes are known only where somebody entered some."""
    notices = register.notices(one.contracts, chosen)
    now = notices[-1][1]
    held = tuple((since, each.hours, each.agreed, each.basis) for since, each in notices)
    nodes = frozenset(one.of_kind(customers.ThingKind.NODE))
    only = bool(nodes) and len(nodes) == len(one.things)
    former = one.removed_at is not None
    breach = tuple((contract.since, contract.hours.get(customers.Occasion.BREACH)) for contract in one.contracts)
    return Customer(one.id, now.hours, now.agreed, held, nodes, only, basis=now.basis, former=former, breach=breach)


def standing_of(statement: Statement) -> Standing:
    """Return what a classification means for the clocks."""
    claims = statement.claims
    jurisdiction = str(claims.get("jurisdiction", ""))
    category, types = Category(claims["category"]), frozenset(claims.get("entityTypes", ()))
    under_dora = financial() & types
    # Where inputs are unknown the types are all that are possible: that one of them is financial displaces nothing.
    is_open = category is Category.UNDETERMINED or "binds2690" not in claims
    return Standing(
        category=category,
        binds_2690=claims.get("binds2690"),
        types=tuple(claims.get("entityTypes", ())),
        provision=str(claims["provision"]),
        jurisdiction="" if jurisdiction in NATIONAL else jurisdiction,
        financial=bool(under_dora) and (under_dora == types or not is_open),
    )


@cache
def financial() -> frozenset[str]:
    """Return the entity types for which DORA takes the place of Article 23."""
    types = _data("entity_types.yaml")["types"]
    return frozenset(name for name, entry in types.items() if "dora" in entry.get("traits", ()))


@cache
def criteria() -> tuple[Threshold, ...]:
    """Return the criteria of significance of Implementing Regulation (EU) 2024/2690, read once."""
    return thresholds.parse(_data("nis2_2690.yaml")["significant_incident"])


def _data(name: str) -> Any:
    # One source for the law: what `obligations` ships. Reading it is a wire, and wires are here.
    return yaml.safe_load((resources.files("ringfence.obligations") / "data" / name).read_text(encoding="utf-8"))
