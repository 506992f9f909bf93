"""Replace a key of the services or of a person: the new one is enrolled, then used, then the old one is revoked.

Each step is durable before the next, and what was begun is finished by the next call: the key file holds the new key as
`<name>.next` until it is enrolled, and the old one's id as `<name>.old` until it is revoked. From the enrolment on both
count; at no time does a service sign with a key that does not. `up` is stopped meanwhile.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ringfence.app import Services, open_services
from ringfence.enrolment import enrolled_anew, revoked
from ringfence.gateway.worker import Place as Gateway
from ringfence.gateway.worker import running
from ringfence.initialise import append_by_root
from ringfence.installation import GATEWAY_KEY, Home, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.kernel.identifier import KeyId, PersonId, Tenant, key_id
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.settings import Settings
from ringfence.signing.process import exclusive
from ringfence.storage import keyfile
from ringfence.storage.keyfile import KeyFile
from ringfence.storage.signer import Ed25519Signer

NEXT, OLD = ".next", ".old"
ROTATED = (KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY, KeyRole.GATEWAY, KeyRole.OPERATOR)
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the old key ends, and since when."""

    reason: str = SUPERSEDED
    since: datetime | None = None  # the time of the revocation, where nobody says otherwise


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was replaced by what."""

    role: KeyRole
    old: KeyId
    new: KeyId
    custody: str


@dataclass(frozen=True, slots=True)
class _Key:
    """Where a key lies: its file, and its name in it."""

    role: KeyRole
    path: Path
    name: str
    person: PersonId | None = None


def rotate(
    settings: Settings,
    role: KeyRole,
    root: Ed25519Signer,
    ending: Ending,
    *,
    person: PersonId | None = None,
    clock: Clock | None = None,
) -> Rotated:
    """Replace the key of a role.

    Raises:
        Unavailable: `ringfence up` is running.
        UsageError: keys of this role are not replaced this way, or the root key is of another home.
    """
    home = open_home(settings.home)
    place = _place(home, role, person)
    if root.public_key != home.root_public:
        raise UsageError("this is the root key of another home")
    with _alone(home.path):
        _check_no_gateway(home.path)
        _settle(settings, clock)
        held = _begun(place, settings.passphrase())
        if place.name + OLD not in held.secrets:
            with open_services(settings, clock=clock) as services:
                old = _enrol(services, root, place, held)
            held = _switched(place, held, old, settings.passphrase())
        old = key_id(held.secret(place.name + OLD).decode("ascii", "replace"))
        with open_services(settings, clock=clock) as services:  # anew: from here on the new key signs
            _revoke(services, root, old, ending)
        held = _without(place, held, OLD, settings.passphrase())
    return Rotated(role, old, Ed25519Signer.from_seed(held.secret(place.name)).key, held.custody)


def _place(home: Home, role: KeyRole, person: PersonId | None) -> _Key:
    if role not in ROTATED:
        names = ", ".join(role.value for role in ROTATED)
        raise UsageError(f"keys of the role {role} are not replaced this way, only those of {names}")
    if role is KeyRole.OPERATOR:
        if person is None:
            raise UsageError("whose key? name the person; see `ringfence user list`")
        return _Key(role, home.path / "operators" / f"{person}.key", "signing", person)
    if role is KeyRole.GATEWAY:
        return _Key(role, home.gateway_path, GATEWAY_KEY)
    return _Key(role, home.service_path, role.value)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    descriptor = exclusive(home)
    try:
        yield
    finally:
        os.close(descriptor)


def _check_no_gateway(home: Path) -> None:
    """Raise `Unavailable` where a gateway outlived an `up` that was killed: it would go on signing with an old key."""
    if running(Gateway(home / "gateway", home / "gateway.log", 0)):
        raise Unavailable(
            "the gateway of an `up` that was killed still runs; start `ringfence up` and stop it, which ends both"
        )


def _settle(settings: Settings, clock: Clock | None) -> None:
    """Take in what the old keys signed and what waits: once they are revoked it would count for nothing."""
    with open_services(settings, clock=clock) as services:
        services.replay_journals()
        services.receiving.intake()
        services.ledger.integrate()


def _begun(place: _Key, passphrase: bytes | None) -> KeyFile:
    """Return the key file with a new key in it that is durable, or with one that is in use already."""
    held = keyfile.load(place.path, passphrase)
    if {place.name + NEXT, place.name + OLD} & held.secrets.keys():
        return held
    return keyfile.rewrite(place.path, held.secrets | {place.name + NEXT: secrets.token_bytes(32)}, passphrase)


def _switched(place: _Key, held: KeyFile, old: KeyId, passphrase: bytes | None) -> KeyFile:
    """Put the new key into the old one's place, which is forgotten but for its id."""
    named = held.secrets | {place.name: held.secret(place.name + NEXT), place.name + OLD: old.encode()}
    del named[place.name + NEXT]
    return keyfile.rewrite(place.path, named, passphrase)


def _without(place: _Key, held: KeyFile, ending: str, passphrase: bytes | None) -> KeyFile:
    named = {name: value for name, value in held.secrets.items() if name != place.name + ending}
    return keyfile.rewrite(place.path, named, passphrase)


def _enrol(services: Services, root: Ed25519Signer, place: _Key, held: KeyFile) -> KeyId:
    """Enrol the new key wherever the old one counts; return the old one's id."""
    old, new = (Ed25519Signer.from_seed(held.secret(name)) for name in (place.name, place.name + NEXT))
    tenants = _tenants(services, old.key)
    if not tenants:
        raise NotFound(f"the key in {place.path} does not count anywhere here; there is nothing to replace")
    draft = enrolled_anew(new.public_key, place.role, held.custody, place.person, services.clock.now())
    with services.ledger.publishable():
        for tenant in tenants:
            if new.key not in services.ledger.issuers(tenant).enrolments:
                append_by_root(services, root, draft, tenant)
            _give(services, tenant, place.person, new.key)
    services.ledger.integrate()
    return old.key


def _tenants(services: Services, key: KeyId) -> list[Tenant]:
    """Return the tenants in which a key is in force."""
    now = services.clock.now()
    known = [record.tenant for record in services.identity.people.tenants()]
    return [tenant for tenant in known if services.ledger.issuers(tenant).at(key, now)[0] is Standing.TRUSTED]


def _give(services: Services, tenant: Tenant, person: PersonId | None, key: KeyId) -> None:
    record = None if person is None else services.identity.people.by_id(tenant, person)
    if record is not None:
        services.identity.people.replace(replace(record, key=key))


def _revoke(services: Services, root: Ed25519Signer, old: KeyId, ending: Ending) -> None:
    """Let the root revoke the old key wherever it still counts."""
    draft = revoked(old, ending.reason, ending.since or services.clock.now())
    tenants = _tenants(services, old)
    with services.ledger.publishable():
        for tenant in tenants:
            append_by_root(services, root, draft, tenant)
    services.ledger.integrate()
