"""A key and a deployment as one JSON object each: in the snapshot, and nowhere with a secret in it."""

from enum import StrEnum
from typing import Any, TypeVar

from ringfence.gateway.model import (
    ApiKey,
    Basis,
    Deployment,
    DeploymentState,
    Limits,
    OnRecordFailure,
    Protocol,
    ServedModel,
    Upstream,
    api_key_id,
    deployment_name,
)
from ringfence.kernel import identifier
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

E = TypeVar("E", bound=StrEnum)

_KEY = frozenset(
    {"id", "tenant", "hash", "name", "deployments", "limits", "createdAt", "expiresAt", "revokedAt", "blocked"}
)
_DEPLOYMENT = frozenset(
    {"name", "tenant", "protocol", "url", "socket", "credential", "model", "digest", "basis", "node", "state"}
    | {"onRecordFailure", "createdAt", "because", "subject"}
)


def key_to(key: ApiKey) -> dict[str, Any]:
    """Return the object of a key."""
    return {
        "id": key.id,
        "tenant": key.tenant,
        "hash": key.secret_hash.hex(),
        "name": key.name,
        "deployments": list(key.deployments),
        "limits": limits_to(key.limits),
        "createdAt": to_text(key.created_at),
        "expiresAt": to_text(key.expires_at),
        "revokedAt": None if key.revoked_at is None else to_text(key.revoked_at),
        "blocked": key.blocked,
    }


def limits_to(limits: Limits) -> dict[str, int]:
    """Return the object of a key's limits."""
    return {
        "requestsPerMinute": limits.requests_per_minute,
        "concurrent": limits.concurrent,
        "bodyBytes": limits.body_bytes,
    }


def key_from(value: Any) -> ApiKey:
    """Parse the object of a key, or raise `MalformedInput`."""
    fields = _fields(value, _KEY, "a key")
    names = fields["deployments"]
    if not isinstance(names, list):
        raise MalformedInput("the deployments of a key are a list")
    revoked = fields["revokedAt"]
    return ApiKey(
        id=api_key_id(fields["id"]),
        tenant=identifier.tenant(fields["tenant"]),
        secret_hash=Digest.parse(fields["hash"]).value,
        name=_text(fields["name"]),
        deployments=tuple(deployment_name(name) for name in names),
        limits=limits_from(fields["limits"]),
        created_at=from_text(fields["createdAt"]),
        expires_at=from_text(fields["expiresAt"]),
        revoked_at=None if revoked is None else from_text(revoked),
        blocked=_text(fields["blocked"]),
    )


def limits_from(value: Any) -> Limits:
    """Parse the object of a key's limits, or raise `MalformedInput`."""
    fields = _fields(value, frozenset({"requestsPerMinute", "concurrent", "bodyBytes"}), "the limits of a key")
    return Limits(
        requests_per_minute=_count(fields["requestsPerMinute"]),
        concurrent=_count(fields["concurrent"]),
        body_bytes=_count(fields["bodyBytes"]),
    )


def deployment_to(one: Deployment) -> dict[str, Any]:
    """Return the object of a deployment."""
    return {
        "name": one.name,
        "tenant": one.tenant,
        "protocol": one.protocol.value,
        "url": one.upstream.url,
        "socket": one.upstream.socket,
        "credential": one.upstream.credential,
        "model": one.model.name,
        "digest": None if one.model.digest is None else str(one.model.digest),
        "basis": one.model.basis.value,
        "node": one.node,
        "state": one.state.value,
        "onRecordFailure": one.on_record_failure.value,
        "createdAt": to_text(one.created_at),
        "because": one.because,
        "subject": None if one.subject is None else str(one.subject),
    }


def deployment_from(value: Any) -> Deployment:
    """Parse the object of a deployment, or raise `MalformedInput`."""
    fields = _fields(value, _DEPLOYMENT, "a deployment")
    return Deployment(
        name=deployment_name(fields["name"]),
        tenant=identifier.tenant(fields["tenant"]),
        protocol=_one_of(Protocol, fields["protocol"]),
        upstream=Upstream(_text(fields["url"]), _text(fields["socket"]), _text(fields["credential"])),
        model=ServedModel(_text(fields["model"]), _digest(fields["digest"]), _one_of(Basis, fields["basis"])),
        node=_text(fields["node"]),
        state=_one_of(DeploymentState, fields["state"]),
        on_record_failure=_one_of(OnRecordFailure, fields["onRecordFailure"]),
        created_at=from_text(fields["createdAt"]),
        because=_text(fields["because"]),
        subject=_digest(fields["subject"]),
    )


def _fields(value: Any, names: frozenset[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise MalformedInput(f"{what} in a snapshot has the fields " + ", ".join(sorted(names)))
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4096:
        raise MalformedInput("a text in a snapshot has at most 4096 characters")
    return value


def _digest(value: Any) -> Digest | None:
    return None if value is None else Digest.parse(value)


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise MalformedInput("a limit in a snapshot counts from 1")
    return value


def _one_of(kind: type[E], value: Any) -> E:
    for member in kind:
        if member.value == value:
            return member
    raise MalformedInput(f"{str(value)[:40]!r} in a snapshot is not one of {', '.join(kind)}")
