"""Who acts: a person or a service with a role in one tenant, or the system itself."""

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
    VENDOR = "vendor"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Person:
    """An authenticated person, acting in one tenant."""

    id: PersonId
    tenant: Tenant
    role: Role


@dataclass(frozen=True, slots=True)
class Service(Person):
    """A program with a key of its own: it may ask for what its scope names, and never counts as a person.

    Its id begins with `service-`, so that it stands wherever a caller does and passes for nobody.
    """

    scope: frozenset[str] = frozenset()


class Level(StrEnum):
    """How somebody was recognised; what each is good for is in the Cedar policies, not here."""

    TOKEN = "token"  # noqa: S105  # a bearer token: machines, and people before they have a passkey
    LINK = "link"  # a one-time link: as good as the token it was asked for with
    RECOVERY = "recovery"  # a recovery code: good for enrolling a new passkey, and for nothing else
    OIDC = "oidc"  # an identity provider's word
    TOTP = "totp"  # a passphrase and a code of an authenticator app
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Assurance:
    """How surely a caller is who they say, at the moment of asking."""

    level: Level
    stepped_up: bool = False  # a passkey of theirs signed within the last minutes
    has_passkey: bool = False  # whatever was used now


RECOGNISED = Assurance(Level.PASSKEY, stepped_up=True, has_passkey=True)  # asks for the role alone


@dataclass(frozen=True, slots=True)
class Caller:
    """A person who is asking now."""

    person: Person
    assurance: Assurance
