"""What identity states about itself: the register of access, and the life of its keys. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from ringfence.identity.model import KEY_LIFE, LEAVER_GRACE, Custody, Factors, PersonRecord
from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject

PLAIN = "file-plain"
_NOBODYS = Factors()


def access_register(
    tenant: Tenant,
    people: Iterable[PersonRecord],
    policy: Digest,
    at: datetime,
    *,
    services: int = 0,
    factors: Factors = _NOBODYS,
) -> Draft:
    """State who has access: counts per role and second factor, overdue leavers, keys that belong to nobody."""
    known = list(people)
    active = [person for person in known if person.removed_at is None]
    roles = Counter(person.role.value for person in active)
    own = {person.id for person in active}
    passkeys, apps = own & factors.passkeys, own & factors.apps
    claims = {
        "people": len(active),
        "services": services,
        "roles": dict(sorted(roles.items())),
        "policyDigest": str(policy),
        "leaversOverdue": sum(_overdue(person, at) for person in known),
        "keysWithoutPerson": sum(1 for person in active if not person.key),
        "peopleWithPasskey": len(passkeys),
        "peopleWithTotpOnly": len(apps - passkeys),
        "peopleWithoutSecondFactor": len(own - passkeys - apps),
    }
    listed = {"people": [{"person": p.id, "name": p.name, "role": p.role.value} for p in active]}
    subject = Subject(f"access/{tenant}", Digest.of(digest.dumps(claims)))
    return Draft(PredicateName("access.register"), (subject,), claims, Strength.OBSERVED, details=listed)


def _overdue(person: PersonRecord, at: datetime) -> bool:
    if person.left_at is None:
        return False
    return (person.removed_at or at) - person.left_at > LEAVER_GRACE


def key_lifecycle(tenant: Tenant, custody: Custody, at: datetime) -> Draft:
    """State where the keys lie, how many lie unprotected, and how many are past their rotation."""
    places = (custody.service_keys, custody.root_key, *custody.operator_keys)
    claims = {
        "inToken": custody.in_token,
        "keys": len(places) + 1,
        "pastRotation": int(at - custody.oldest_key_at > KEY_LIFE),
        "unprotected": sum(place == PLAIN for place in places),
        "kekCustody": custody.kek,
        "rootCustody": custody.root_key,
        "serviceCustody": custody.service_keys,
    }
    subject = Subject(f"keyring/{tenant}", Digest.of(digest.dumps(claims)))
    return Draft(PredicateName("key.lifecycle"), (subject,), claims, Strength.OBSERVED)


def key_revoked(key: KeyId, *, reason: str, at: datetime) -> Draft:
    """State that a key of a person counts for nothing from now on."""
    claims = {"keyId": key, "reason": reason, "at": to_text(at)}
    subject = Subject(f"key/{key[:16]}", Digest.parse(key))
    return Draft(PredicateName("key.revoked"), (subject,), claims, Strength.DOCUMENTED)
