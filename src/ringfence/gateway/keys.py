"""API keys: how one is made, read from a request, and judged; and what may still happen to it.

A key reads `rfk-<12 hexadecimal digits>-<43 characters of base64url>`: the digits are its public id, the rest is 32
random bytes. We keep the SHA-256 of the whole text; whoever reads our database cannot call with it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ringfence.gateway.model import ApiKey, ApiKeyId, DeploymentName, Limits, deployment_name
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.text import printable

LIFE_DAYS = 90
LONGEST_DAYS = 366
DEFAULT_LIMITS = Limits(requests_per_minute=600, concurrent=16, body_bytes=2**20)
MOST = Limits(requests_per_minute=6_000_000, concurrent=10_000, body_bytes=64 * 2**20)
MAX_NAME = 100
MAX_SCOPE = 64
MAX_REASON = 400
_SECRET = re.compile(r"rfk-([0-9a-f]{12})-[A-Za-z0-9_-]{43}")


class KeyState(StrEnum):
    """What an API key is worth now."""

    ACTIVE = "active"
    BLOCKED = "blocked"  # by detection or a person, until a person unblocks it
    REVOKED = "revoked"  # for ever
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Presented:
    """What a caller showed: the id says which key to look at, the hash whether it is that key."""

    id: ApiKeyId
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for when a key is issued."""

    name: str
    deployments: tuple[DeploymentName, ...]
    days: int = LIFE_DAYS
    limits: Limits = DEFAULT_LIMITS


def presented(text: object) -> Presented | None:
    """Read what a caller presents as a key; None where it is not of the form of one."""
    found = _SECRET.fullmatch(text) if isinstance(text, str) else None
    return Presented(ApiKeyId(f"k-{found[1]}"), hash_of(found[0])) if found else None


def hash_of(secret: str) -> bytes:
    """Return what is kept of a key's text."""
    return hashlib.sha256(secret.encode()).digest()


def matches(key: ApiKey, shown: Presented) -> bool:
    """Tell whether a key was shown, in a time that does not depend on where a wrong one differs."""
    return hmac.compare_digest(key.secret_hash, shown.secret_hash) and key.id == shown.id


def state(key: ApiKey, at: datetime) -> KeyState:
    """Return what a key is worth at `at`; what ended it for ever goes before what a person can undo."""
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if at >= key.expires_at:
        return KeyState.EXPIRED
    return KeyState.BLOCKED if key.blocked else KeyState.ACTIVE


def covers(key: ApiKey, name: str) -> bool:
    """Tell whether a key is for the deployment `name` of its tenant."""
    return not key.deployments or name in key.deployments


def issued(tenant: Tenant, wanted: Wanted, *, random: bytes, at: datetime) -> tuple[ApiKey, str]:
    """Return a new key and its text, which nobody keeps; `random` is 38 random bytes.

    Raises:
        MalformedInput: a name, a scope, a life or a limit that no key has.
    """
    if len(random) != 38:
        raise MalformedInput("a key is made of 38 random bytes")
    digits, rest = random[:6].hex(), base64.urlsafe_b64encode(random[6:]).decode().rstrip("=")
    secret = f"rfk-{digits}-{rest}"
    key = ApiKey(
        id=ApiKeyId(f"k-{digits}"),
        tenant=tenant,
        secret_hash=hash_of(secret),
        name=_name(wanted.name),
        deployments=scope(wanted.deployments),
        limits=limits(wanted.limits),
        created_at=at,
        expires_at=at + timedelta(days=_days(wanted.days)),
    )
    return key, secret


def scope(names: Iterable[object]) -> tuple[DeploymentName, ...]:
    """Return the deployments that a key is for, in order and each once; none stands for all of the tenant."""
    found = tuple(sorted({deployment_name(name) for name in names}))
    if len(found) > MAX_SCOPE:
        raise MalformedInput(f"a key names at most {MAX_SCOPE} deployments; name none for all of them")
    return found


def limits(wanted: Limits) -> Limits:
    """Return the limits, or raise `MalformedInput` where one is not from 1 to the most that a key can have."""
    for name in Limits.__slots__:
        most = getattr(MOST, name)
        if not 1 <= getattr(wanted, name) <= most:
            raise MalformedInput(f"the limit {name} is from 1 to {most}")
    return wanted


def revoked(key: ApiKey, at: datetime) -> ApiKey:
    """Return the key after its end; one that ended stays ended at its first time."""
    return key if key.revoked_at is not None else replace(key, revoked_at=at)


def blocked(key: ApiKey, because: str) -> ApiKey:
    """Return the key after it was blocked; the first reason stays, and a revoked key stays revoked."""
    return key if key.blocked or key.revoked_at is not None else replace(key, blocked=reason(because))


def unblocked(key: ApiKey, at: datetime) -> ApiKey:
    """Return the key after a person unblocked it; raise `Conflict` where it is not blocked."""
    found = state(key, at)
    if found is not KeyState.BLOCKED:
        raise Conflict(f"the key {key.id} is {found}; only a blocked key is unblocked")
    return replace(key, blocked="")


def reason(text: str) -> str:
    """Return why something is blocked or failed as one printable line; never nothing, since that would not block."""
    return printable(text, len(text)).strip()[:MAX_REASON] or "no reason was given"


def _name(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAX_NAME or not text.isprintable():
        raise MalformedInput(f"the name of a caller is one line of 1 to {MAX_NAME} printable characters")
    return text.strip()


def _days(days: int) -> int:
    if not 1 <= days <= LONGEST_DAYS:
        raise MalformedInput(f"a key lives 1 to {LONGEST_DAYS} days; issue another one after that")
    return days
