"""What is stated about keys and deployments (docs/specs/predicates).

Names of callers, addresses and reasons are details. What the emergency key states has no details: containment must not
depend on the database, where details lie.
"""

from datetime import datetime
from typing import Any

from ringfence.gateway.deployments import Ran, Seen
from ringfence.gateway.entries import limits_to
from ringfence.gateway.model import ApiKey, Deployment, DeploymentState
from ringfence.kernel.clock import to_millis, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

KEY_ISSUED = PredicateName("apikey.issued")
KEY_REVOKED = PredicateName("apikey.revoked")
KEY_BLOCKED = PredicateName("apikey.blocked")
KEY_UNBLOCKED = PredicateName("apikey.unblocked")
ATTACHED = PredicateName("deployment.attached")
REQUESTED = PredicateName("deployment.requested")
STARTED = PredicateName("deployment.started")
FAILED = PredicateName("deployment.failed")
STOPPED = PredicateName("deployment.stopped")
ABOUT_KEYS = (KEY_ISSUED, KEY_REVOKED, KEY_BLOCKED, KEY_UNBLOCKED)
ABOUT_DEPLOYMENTS = (ATTACHED, REQUESTED, STARTED, FAILED, STOPPED)


def key_issued(key: ApiKey, by: PersonId) -> Draft:
    """State that a caller was given a key, for what and for how long."""
    claims: dict[str, Any] = {
        "key": key.id,
        "deployments": list(key.deployments),
        "validUntil": to_text(key.expires_at),
        "by": by,
    }
    return _about_key(KEY_ISSUED, key, claims | limits_to(key.limits), name=key.name)


def key_revoked(key: ApiKey, by: PersonId, *, written: bool) -> Draft:
    """State that a key ended for ever; `written`: the gateway was told before this was stated."""
    return _about_key(KEY_REVOKED, key, {"key": key.id, "by": by, "snapshotWritten": written})


def key_blocked(key: ApiKey, *, finding: str, by: PersonId | None, written: bool) -> Draft:
    """State that a key is refused until a person unblocks it."""
    claims: dict[str, Any] = {"key": key.id, "cause": "person" if by else "finding", "snapshotWritten": written}
    claims |= {"finding": finding} if finding else {}
    claims |= {"by": by} if by else {}
    return _about_key(KEY_BLOCKED, key, claims)


def key_unblocked(key: ApiKey, by: PersonId) -> Draft:
    """State that a person unblocked a key; `key` is as it was before."""
    return _about_key(KEY_UNBLOCKED, key, {"key": key.id, "by": by}, because=key.blocked)


def attached(one: Deployment, by: PersonId, seen: Seen, *, loopback: bool) -> Draft:
    """State that callers reach an engine that somebody else started; its model is what that person declared."""
    claims = {
        "deployment": one.name,
        "protocol": one.protocol.value,
        "basis": one.model.basis.value,
        "loopback": loopback,
        "credential": bool(one.upstream.credential),
        "ready": seen.ready,
        "modelListed": one.model.name in seen.models,
        "by": by,
    }
    details = {"url": one.upstream.url, "model": one.model.name}
    return _about_deployment(ATTACHED, one, claims | _digest(one), Strength.DECLARED, **details)


def requested(one: Deployment, by: PersonId | None) -> Draft:
    """State that an engine is to be started on a node."""
    claims = {"deployment": one.name, "protocol": one.protocol.value} | ({"by": by} if by else {})
    claims |= {"node": one.node} if one.node else {}  # a node may be made for it once the model is verified
    return _about_deployment(REQUESTED, one, claims)


def started(one: Deployment, at: datetime, ran: Ran | None = None) -> Draft:
    """State that an engine of ours serves, and which bytes were given to it."""
    claims = {
        "deployment": one.name,
        "protocol": one.protocol.value,
        "node": one.node,
        "basis": one.model.basis.value,
        "millisecondsToServe": _millis(one.created_at, at),
    }
    if ran is not None:
        claims |= {"engine": ran.engine, "engineVersion": ran.version, "weights": str(ran.weights)}
    return _about_deployment(STARTED, one, claims | _digest(one), model=one.model.name)


def failed(one: Deployment, before: DeploymentState) -> Draft:
    """State that an engine did not come (`start`) or is gone without having been stopped (`lost`)."""
    phase = "start" if before is DeploymentState.STARTING else "lost"
    return _about_deployment(FAILED, one, {"deployment": one.name, "phase": phase}, because=one.because)


def stopped(one: Deployment, before: DeploymentState, by: PersonId, at: datetime) -> Draft:
    """State that a person ended a deployment."""
    claims = {
        "deployment": one.name,
        "wasServing": before is DeploymentState.SERVING,
        "millisecondsLived": _millis(one.created_at, at),
        "by": by,
    }
    return _about_deployment(STOPPED, one, claims)


def _about_key(predicate: PredicateName, key: ApiKey, claims: dict[str, Any], **details: str) -> Draft:
    subject = Subject(f"apikey/{key.id}", Digest(key.secret_hash))
    return Draft(predicate, (subject,), claims, Strength.OBSERVED, details)


def _about_deployment(
    predicate: PredicateName,
    one: Deployment,
    claims: dict[str, Any],
    strength: Strength = Strength.OBSERVED,
    **details: str,
) -> Draft:
    if one.subject is None:
        raise InternalError(f"the deployment {one.name} has nothing that a statement could be about")
    return Draft(predicate, (Subject(f"deployment/{one.subject.hex[:8]}", one.subject),), claims, strength, details)


def _digest(one: Deployment) -> dict[str, str]:
    return {} if one.model.digest is None else {"digest": str(one.model.digest)}


def _millis(start: datetime, end: datetime) -> int:
    return max(0, to_millis(end) - to_millis(start))
