"""Cedar decides what a role may do; any doubt is a denial.

The engine skips a `forbid` whose condition fails with an error (a missing attribute, say), so that an answer with
any diagnostic error counts as a denial here, whatever the decision says.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import cedarpy

from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, Refused
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Policies:
    """A parsed policy set with its schema."""

    policies: Any  # cedarpy's handles have no types of their own
    schema: Any
    digest: Digest

    @classmethod
    def parse(cls, policies: str, schema: str) -> "Policies":
        """Parse and validate a policy set; raise `InternalError` where it does not fit its schema."""
        verdict = cedarpy.validate_policies(policies, schema)
        if not verdict.validation_passed:
            raise InternalError(f"the policies do not fit their schema: {verdict.errors}")
        digest = Digest.of(schema.encode() + b"\0" + policies.encode())
        return cls(cedarpy.PolicySet.from_str(policies), cedarpy.Schema.from_str(schema), digest)

    def authorise(self, person: Person, action: str, *, tenant: Tenant) -> None:
        """Return where `person` may do `action` in `tenant`; raise `Refused` otherwise."""
        attributes = {"tenant": {"__entity": {"type": "Tenant", "id": person.tenant}}}
        if not self.permits(person, action, tenant=tenant, attributes=attributes):
            raise Refused(f"the role {person.role} does not permit {action} here; ask an owner of the tenant {tenant}")

    def permits(self, person: Person, action: str, *, tenant: Tenant, attributes: dict[str, Any]) -> bool:
        """Return the engine's answer, with every diagnostic error turned into a denial."""
        entities: list[dict[Any, Any]] = [
            {
                "uid": {"type": "Person", "id": person.id},
                "attrs": attributes,
                "parents": [{"type": "Role", "id": person.role.value}],
            },
            {"uid": {"type": "Role", "id": person.role.value}, "attrs": {}, "parents": []},
            {"uid": {"type": "Tenant", "id": tenant}, "attrs": {}, "parents": []},
        ]
        request = {
            "principal": {"type": "Person", "id": person.id},
            "action": {"type": "Action", "id": action},
            "resource": {"type": "Tenant", "id": tenant},
            "context": {},
        }
        try:
            answer = cedarpy.is_authorized(request, self.policies, entities, schema=self.schema)
        except ValueError:
            return False  # the request does not fit the schema: an action that nobody declared
        return bool(answer.allowed) and not answer.diagnostics.errors


@cache
def shipped() -> Policies:
    """Return the policy set that ships with Ringfence."""
    data = resources.files("ringfence.identity") / "data"
    return Policies.parse(
        (data / "roles.cedar").read_text(encoding="utf-8"), (data / "roles.cedarschema").read_text(encoding="utf-8")
    )
