"""Who acts: a person with a role in one tenant, or the system itself."""

from dataclasses import dataclass
from enum import StrEnum

from ringfence.kernel.identifier import PersonId, Tenant


class Role(StrEnum):
    """What a person may do; the meaning of each is in the Cedar policies, not here."""

    OWNER = "owner"
    SECURITY = "security"
    ENGINEER = "engineer"
    MANAGEMENT = "management"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Person:
    """An authenticated person, acting in one tenant."""

    id: PersonId
    tenant: Tenant
    role: Role
