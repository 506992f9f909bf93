"""Replace a key of the services or of a person: the new one is enrolled, then used, then the old one is revoked.

Each step is durable before the next, and what was begun is finished by the next call: the key file holds the new key as
`<name>.next` until it is enrolled, and the old one's id as `<name>.old` until it is revoked. From the enrolment on both
count; at no time does a service sign with a key that does not. `up` is stopped meanwhile, and no command runs.

A new key in a token is made there: one that was in a file before is not put into it, since copies of the file remain.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from ringfence.app import open_services
from ringfence.enrolment import enrolled_anew
from ringfence.gateway.worker import Place as Gateway
from ringfence.gateway.worker import running
from ringfence.identity.register import key_revoked
from ringfence.initialise import append_by_root
from ringfence.installation import GATEWAY_KEY, Home, SystemClock, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, Refused, Unavailable, UsageError
from ringfence.kernel.identifier import KeyId, PersonId, Tenant, key_id
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.ledger.store import decided_in
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.signing.opening import in_process, replacing_keys
from ringfence.signing.process import exclusive
from ringfence.storage import keyfile
from ringfence.storage.keyfile import KeyFile
from ringfence.storage.replacement import NEXT, OLD, finished, is_begun, switched
from ringfence.storage.signer import Ed25519Signer
from ringfence.storage.tokens import Token, TokenPlace
from ringfence.storage.tokensigner import IN_TOKEN, PUBLIC_SIZE, TokenKey, TokenSigner, signer_in

ROTATED = (KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY, KeyRole.GATEWAY, KeyRole.OPERATOR)
SUPERSEDED = "superseded"
_UNMADE = bytes(PUBLIC_SIZE)
Into = TokenPlace | Literal["file"] | None


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
    into: Into = None,
    clock: Clock | None = None,
) -> Rotated:
    """Replace the key of a role.

    Args:
        settings: of the home.
        role: whose key.
        root: what enrols and revokes.
        ending: of the old key.
        person: whose key, of an operator's.
        into: the token in which the new key is made, or the file; None for where the old one lies.
        clock: the machine's, where none is given.

    Raises:
        Unavailable: `ringfence up` is running.
        UsageError: keys of this role are not replaced this way, or the root key is of another home.
    """
    home = open_home(settings.home)
    place = _place(home, role, person)
    if role is KeyRole.GATEWAY and isinstance(into, TokenPlace):
        raise UsageError("the gateway's key stays in a file: its process is a user who may use no token")
    if root.public_key != home.root_public:
        raise UsageError("this is the root key of another home")
    with alone(home.path):
        check_no_gateway(home.path)
        with _leaving(place, into, settings.passphrase()):
            settle(settings, clock)
        held = _begun(place, settings.passphrase(), into)
        if place.name + OLD not in held.secrets:
            with opened(settings, clock) as services:
                old = _enrol(services, root, place, held)
            held = _switched(place, held, old, settings.passphrase())
        old = key_id(held.secret(place.name + OLD).decode("ascii", "replace"))
        with opened(settings, clock) as services:  # anew: from here on the new key signs
            _revoke(services, root, old, ending)
        held = _finished(place, held, settings.passphrase())
    new = signer_in(held, place.name)
    return Rotated(role, old, new.key, _custody(held, new))


def _custody(held: KeyFile, signer: Ed25519Signer | TokenSigner) -> str:
    return keyfile.TOKEN if isinstance(signer, TokenSigner) else held.custody


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
def alone(home: Path) -> Iterator[None]:
    """Let nobody else sign with keys of a home: neither `up` nor a command."""
    descriptor = exclusive(home)
    try:
        with replacing_keys(home):
            yield
    finally:
        os.close(descriptor)


@contextmanager
def opened(settings: Settings, clock: Clock | None) -> Iterator[Services]:
    """Open the services with the keys as they lie now; that nobody replaces them meanwhile is our own doing."""
    home, time = open_home(settings.home), clock or SystemClock()
    decided = decided_in(home.database_url, home.tenant)
    signer = in_process(home.path, home.log, settings.passphrase(), time, decided)
    with open_services(settings, clock=time, signer=signer) as services:
        yield services


def check_no_gateway(home: Path) -> None:
    """Raise `Unavailable` where a gateway outlived an `up` that was killed: it would go on signing with an old key."""
    if running(Gateway(home / "gateway", home / "gateway.log", 0)):
        raise Unavailable(
            "the gateway of an `up` that was killed still runs; start `ringfence up` and stop it, which ends both"
        )


def settle(settings: Settings, clock: Clock | None) -> None:
    """Take in what the old keys signed and what waits: once they are revoked it would count for nothing."""
    with opened(settings, clock) as services:
        services.replay_journals()
        services.receiving.intake()
        services.ledger.integrate()


def _leaving(place: _Key, into: Into, passphrase: bytes | None) -> AbstractContextManager[None]:
    """Put up with a token that does not sign any more, where its key leaves it: what waits for that key is lost."""
    in_token = place.name + IN_TOKEN in keyfile.load(place.path, passphrase).secrets
    return suppress(Unavailable) if in_token and into == "file" else nullcontext()


def _begun(place: _Key, passphrase: bytes | None, into: Into) -> KeyFile:
    """Return the key file with a new key in it that is durable, or with one that is in use already."""
    held = keyfile.load(place.path, passphrase)
    if not is_begun(held.secrets, place.name):
        held = keyfile.rewrite(place.path, held.secrets | _drawn(place, held, into), passphrase)
    slot = place.name + NEXT + IN_TOKEN
    if slot not in held.secrets:
        return held
    pair = TokenKey.parse(held.secret(slot))
    if pair.public_key == _UNMADE:  # the place was noted first: a pair that nobody knows of would stay for ever
        pair = pair.made()
        held = keyfile.rewrite(place.path, held.secrets | {slot: pair.to_secret()}, passphrase)
    pair.check()
    return held


def _drawn(place: _Key, held: KeyFile, into: Into) -> dict[str, bytes]:
    """Return a new seed, or the place of a new pair: in the token that is named, or in the old one's."""
    current = held.secrets.get(place.name + IN_TOKEN)
    if into is None and current is not None:
        into = TokenKey.parse(current).token.place
    if not isinstance(into, TokenPlace):
        return {place.name + NEXT: secrets.token_bytes(32)}
    named = replace(into, key=f"ringfence-{place.role.value}-{secrets.token_hex(8)}")
    return {place.name + NEXT + IN_TOKEN: TokenKey(Token(named), _UNMADE).to_secret()}


def _switched(place: _Key, held: KeyFile, old: KeyId, passphrase: bytes | None) -> KeyFile:
    """Put the new key into the old one's place, which is forgotten but for its id."""
    return keyfile.rewrite(place.path, switched(held.secrets, place.name, old), passphrase)


def _finished(place: _Key, held: KeyFile, passphrase: bytes | None) -> KeyFile:
    """Destroy the old key in its token, as far as that allows it, and forget its id."""
    spent = held.secrets.get(place.name + OLD + IN_TOKEN)
    if spent is not None:
        with suppress(NotFound, Refused, Unavailable):
            TokenKey.parse(spent).forget()
    return keyfile.rewrite(place.path, finished(held.secrets, place.name), passphrase)


def _enrol(services: Services, root: Ed25519Signer, place: _Key, held: KeyFile) -> KeyId:
    """Enrol the new key wherever the old one counts; return the old one's id."""
    old, new = (signer_in(held, name) for name in (place.name, place.name + NEXT))
    tenants = _tenants(services, old.key)
    if not tenants:
        raise NotFound(f"the key in {place.path} does not count anywhere here; there is nothing to replace")
    draft = enrolled_anew(new.public_key, place.role, _custody(held, new), place.person, services.clock.now())
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
    draft = key_revoked(old, reason=ending.reason, at=ending.since or services.clock.now())
    tenants = _tenants(services, old)
    with services.ledger.publishable():
        for tenant in tenants:
            append_by_root(services, root, draft, tenant)
    services.ledger.integrate()
