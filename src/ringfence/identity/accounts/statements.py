"""What is stated of services. Pure."""

from datetime import datetime

from ringfence.identity.accounts.model import Account
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject


def service_enrolled(account: Account, by: Person) -> Draft:
    """State that a service was given a key, and for what."""
    claims = {
        "service": account.id,
        "role": account.role.value,
        "scope": sorted(account.scope),
        "validUntil": to_text(account.expires_at),
        "by": by.id,
    }
    return Draft(
        PredicateName("service.enrolled"), (_subject(account),), claims, Strength.OBSERVED, {"name": account.name}
    )


def service_revoked(account: Account, by: Person, reason: str, at: datetime) -> Draft:
    """State that a service's key opens nothing from now on."""
    claims = {"service": account.id, "reason": reason, "at": to_text(at), "by": by.id}
    return Draft(PredicateName("service.revoked"), (_subject(account),), claims, Strength.OBSERVED)


def _subject(account: Account) -> Subject:
    # The hash of 32 random bytes: whoever holds the key can show that it is this one, and nobody can guess it back.
    return Subject(f"service/{account.id.removeprefix('service-')}", Digest(account.secret_hash))
