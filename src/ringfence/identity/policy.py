"""Cedar decides what a role may do; any doubt is a denial.

The engine skips a `forbid` whose condition fails with an error (a missing attribute, say), so that an answer with
any diagnostic error counts as a denial here, whatever the decision says.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import cedarpy

from ringfence.kernel.actor import RECOGNISED, Assurance, Caller, Level, Person, Role, Service
from ringfence.kernel.cedar import PolicySet
from ringfence.kernel.errors import Refused, StepUpRequired
from ringfence.kernel.identifier import PersonId, Tenant


@dataclass(frozen=True, slots=True)
class Policies(PolicySet):
    """What roles may do, as the engine decides it."""

    def admit(self, caller: Caller, action: str) -> None:
        """Return where `caller` may do `action` in the own tenant, recognised as surely as now.

        Raises:
            StepUpRequired: the role permits it, and a passkey has to confirm it.
            Refused: the role does not permit it.
        """
        person, assurance = caller.person, caller.assurance
        self.authorise(person, action, tenant=person.tenant)
        answer = self.answer(
            person, action, tenant=person.tenant, attributes=attributes_of(person), assurance=assurance
        )
        if not _allows(answer):
            raise StepUpRequired(_what_to_do(assurance))

    def authorise(self, person: Person, action: str, *, tenant: Tenant) -> None:
        """Return where the role of `person` permits `action` in `tenant`; raise `Refused` otherwise."""
        answer = self.answer(person, action, tenant=tenant, attributes=attributes_of(person))
        if not _allows(answer):
            raise Refused(
                f"the role {person.role} does not permit {action} here{_rules(answer)}; "
                f"ask an owner of the tenant {tenant}"
            )

    def allows(self, person: Person, action: str) -> bool:
        """Return whether `person` may do `action` in the own tenant."""
        return self.permits(person, action, tenant=person.tenant, attributes=attributes_of(person))

    def permits(self, person: Person, action: str, *, tenant: Tenant, attributes: dict[str, Any]) -> bool:
        """Return the engine's answer, with every diagnostic error turned into a denial."""
        return _allows(self.answer(person, action, tenant=tenant, attributes=attributes))

    def answer(
        self,
        person: Person,
        action: str,
        *,
        tenant: Tenant,
        attributes: dict[str, Any],
        assurance: Assurance = RECOGNISED,
        without: str = "",
    ) -> Any:
        """Ask the engine; None where the request does not fit the schema. `without` leaves out part of the context."""
        principal = {"type": "Service" if isinstance(person, Service) else "Person", "id": person.id}
        role = {"type": "Role", "id": person.role.value}
        entities: list[dict[Any, Any]] = [
            {"uid": principal, "attrs": attributes, "parents": [role]},
            {"uid": role, "attrs": {}, "parents": []},
            {"uid": {"type": "Tenant", "id": tenant}, "attrs": {}, "parents": []},
        ]
        context = {name: value for name, value in _context(action, assurance).items() if name != without}
        request = {
            "principal": principal,
            "action": {"type": "Action", "id": action},
            "resource": {"type": "Tenant", "id": tenant},
            "context": context,
        }
        try:
            return cedarpy.is_authorized(request, self.policies, entities, schema=self.schema)
        except ValueError:
            return None  # an action that nobody declared


def attributes_of(person: Person) -> dict[str, Any]:
    """Return what the policies read of whoever asks."""
    found: dict[str, Any] = {"tenant": {"__entity": {"type": "Tenant", "id": person.tenant}}}
    if isinstance(person, Service):
        found["scope"] = sorted(person.scope)
    return found


def _context(action: str, assurance: Assurance) -> dict[str, Any]:
    return {
        "asked": action,
        "level": assurance.level.value,
        "steppedUp": assurance.stepped_up,
        "hasPasskey": assurance.has_passkey,
    }


def _what_to_do(assurance: Assurance) -> str:
    if assurance.level is Level.RECOVERY:
        return "a recovery code lets you enrol a new passkey and do nothing else; enrol one first"
    if not assurance.has_passkey:
        return "this takes a passkey, and you have none yet; enrol one in the console, under Your sign-in"
    if assurance.level is Level.TOKEN and assurance.stepped_up:
        return "a code for a terminal changes no way in; do it in the console, under Your sign-in"
    if assurance.level is Level.TOKEN:
        return (
            "this has to be confirmed by your passkey: do it in the console, or take a code for this terminal from its "
            "page /signin and name it in RINGFENCE_CONFIRMATION"
        )
    return "this has to be confirmed by your passkey; confirm it in the console, under Your sign-in"


def _allows(answer: Any) -> bool:
    return answer is not None and bool(answer.allowed) and not answer.diagnostics.errors


def _rules(answer: Any) -> str:
    """Name the rules that forbade it, by their `@id`; where none did, nothing permitted it."""
    reasons = [] if answer is None else sorted(answer.diagnostics.id_annotations_by_reason.values())
    return f" (rule {', '.join(reasons)})" if reasons and not answer.allowed else ""


@cache
def shipped() -> Policies:
    """Return the policy set that ships with Ringfence."""
    return Policies.parse(_data("roles.cedar"), _data("roles.cedarschema"))


def _data(name: str) -> str:
    return (resources.files("ringfence.identity") / "data" / name).read_text(encoding="utf-8")


@cache
def open_to_services() -> tuple[str, ...]:
    """Return the actions that can be in the scope of a service, whatever its role."""
    owner, tenant = PersonId("service-000000000000"), Tenant("main")
    named = sorted(set(re.findall(r'"([a-z_]+\.[a-z_]+)"', _data("roles.cedarschema"))))
    return tuple(one for one in named if shipped().allows(Service(owner, tenant, Role.OWNER, frozenset({one})), one))
