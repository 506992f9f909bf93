"""What the front ends show of keys and deployments, as plain documents; never a secret, never its hash. Pure."""

from datetime import datetime
from typing import Any

from ringfence.gateway import keys
from ringfence.gateway.entries import limits_to
from ringfence.gateway.model import ApiKey, Basis, Deployment, DeploymentState
from ringfence.gateway.usage import Usage, Used
from ringfence.kernel.clock import to_text

BASIS = {  # what a digest rests on: in words, so that the kinds never look alike
    Basis.LOADED: "bound when the model was loaded",
    Basis.DECLARED: "declared by whoever attached it; nobody looked",
}
UNKNOWN = "nobody said"


def key(known: ApiKey, at: datetime, used: Used) -> dict[str, Any]:
    """Return a caller's key."""
    return {
        "key": known.id,
        "name": known.name,
        "state": keys.state(known, at).value,
        "deployments": list(known.deployments),
        "limits": limits_to(known.limits),
        "created_at": to_text(known.created_at),
        "expires_at": to_text(known.expires_at),
        "revoked_at": None if known.revoked_at is None else to_text(known.revoked_at),
        "blocked": known.blocked,
        "usage": usage(used),
    }


def deployment(known: Deployment, used: Used) -> dict[str, Any]:
    """Return a deployment."""
    return {
        "name": known.name,
        "protocol": known.protocol.value,
        "state": known.state.value,
        "url": known.upstream.url,
        "tunnel": bool(known.upstream.socket),
        "credential": bool(known.upstream.credential),
        "model": known.model.name,
        "digest": None if known.model.digest is None else str(known.model.digest),
        "basis": known.model.basis.value,
        "node": known.node,
        "created_at": to_text(known.created_at),
        "because": known.because,
        "subject": None if known.subject is None else str(known.subject),
        "usage": usage(used),
    }


def usage(used: Used) -> dict[str, Any]:
    """Return what was counted."""
    return {
        "requests": used.requests,
        "refused": used.refused,
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "last": None if used.last is None else to_text(used.last),
    }


def counted_since(counted: Usage) -> str | None:
    """Return since when usage was counted; None where nothing was."""
    return None if counted.since is None else to_text(counted.since)


def basis(known: Deployment) -> str:
    """Say in words what the digest of a deployment's model rests on."""
    if known.state is DeploymentState.STARTING:
        return "not loaded yet"
    if known.node and known.model.digest is None:
        return "nothing was loaded"
    return BASIS[known.model.basis] if known.model.digest is not None else UNKNOWN
