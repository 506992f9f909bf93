"""The life of a deployment: what may follow what; pure.

(nothing) ──attach──> serving            an engine that runs already; its digest is declared
(nothing) ──request─> starting ──serve─> serving      an engine of ours; its digest is bound when it loads
starting, serving ──fail──> failed       an engine that did not come, or is gone
starting, serving, failed ──stop──> stopped
failed, stopped ──attach, request──> as if there were nothing
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.gateway.keys import reason
from ringfence.gateway.model import (
    Basis,
    Deployment,
    DeploymentName,
    DeploymentState,
    OnRecordFailure,
    Protocol,
    ServedModel,
    Upstream,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.kernel.identifier import Tenant

OVER = frozenset({DeploymentState.FAILED, DeploymentState.STOPPED})
MAX_DEPLOYMENTS = 256  # of one tenant that are not over
MAX_MODEL = 200
NOWHERE = Upstream("")


@dataclass(frozen=True, slots=True)
class Attach:
    """An engine that runs already, as somebody describes it."""

    name: DeploymentName
    url: str
    protocol: Protocol = Protocol.OPENAI
    model: ServedModel | None = None  # none: the only one that the engine lists, of an unknown digest
    credential: str = field(default="", repr=False)  # with which the gateway asks the engine


@dataclass(frozen=True, slots=True)
class Ran:
    """What loaded the model, as the loader on the node said, and the digest that it measured."""

    node: str
    engine: str
    version: str
    weights: Digest  # of the one file that the engine was given


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine answered when it was asked once."""

    models: tuple[str, ...]  # the names that it lists; empty where the protocol has no list
    ready: bool  # it said so, or it answered with a list


def subject(tenant: Tenant, name: DeploymentName, nonce: bytes) -> Digest:
    """Return what statements about a deployment are about; `nonce` is 32 random bytes."""
    return Digest.of(f"deployment\n{tenant}\n{name}\n".encode() + nonce)


def attached(
    tenant: Tenant,
    name: DeploymentName,
    upstream: Upstream,
    model: ServedModel,
    *,
    protocol: Protocol,
    about: Digest,
    at: datetime,
    before: Deployment | None,
) -> Deployment:
    """Return the deployment of an engine that runs already; raise `Conflict` where the name is taken."""
    _check_free(before, name)
    declared = ServedModel(model_name(model.name), model.digest, Basis.DECLARED)  # nobody saw what it loaded
    return Deployment(
        name, tenant, protocol, upstream, declared, "", DeploymentState.SERVING, OnRecordFailure.REFUSE, at, "", about
    )


def requested(
    tenant: Tenant,
    name: DeploymentName,
    *,
    protocol: Protocol,
    node: str,
    about: Digest,
    at: datetime,
    before: Deployment | None,
) -> Deployment:
    """Return the deployment of an engine that is to be started on a node; raise `Conflict` where the name is taken."""
    _check_free(before, name)
    nothing = ServedModel("", None, Basis.DECLARED)
    state, refuse = DeploymentState.STARTING, OnRecordFailure.REFUSE
    return Deployment(name, tenant, protocol, NOWHERE, nothing, node, state, refuse, at, "", about)


def serving(deployment: Deployment, upstream: Upstream, model: ServedModel, node: str = "") -> Deployment:
    """Return the deployment once its engine has loaded the model and answers."""
    if deployment.state is not DeploymentState.STARTING:
        raise Conflict(f"the deployment {deployment.name} is {deployment.state}; only one that starts comes to serve")
    if model.basis is Basis.LOADED and model.digest is None:
        raise MalformedInput("a model that was loaded has the digest of what was loaded")
    loaded = replace(model, name=model_name(model.name))
    where = node or deployment.node
    return replace(deployment, upstream=upstream, model=loaded, node=where, state=DeploymentState.SERVING)


def failed(deployment: Deployment, because: str) -> Deployment:
    """Return the deployment whose engine did not come or is gone; one that is over stays as it is."""
    if deployment.state in OVER:
        return deployment
    return replace(deployment, state=DeploymentState.FAILED, because=reason(because), upstream=NOWHERE)


def stopped(deployment: Deployment) -> Deployment:
    """Return the deployment that a person ended; raise `Conflict` where it has ended."""
    if deployment.state is DeploymentState.STOPPED:
        raise Conflict(f"the deployment {deployment.name} is stopped already")
    return replace(deployment, state=DeploymentState.STOPPED, upstream=NOWHERE)


def chosen_model(wanted: str, seen: Seen) -> str:
    """Return the name under which the engine knows the model: the one asked for, or the only one that it lists."""
    if wanted:
        return model_name(wanted)
    if len(seen.models) == 1:
        return model_name(seen.models[0])
    listed = ", ".join(name[:60] for name in seen.models[:5]) or "none"
    raise MalformedInput(f"say which model with --model: the engine lists {listed}")


def model_name(text: str) -> str:
    """Return an engine's name for a model, or raise `MalformedInput`."""
    if not 1 <= len(text) <= MAX_MODEL or not text.isprintable():
        raise MalformedInput(f"the name of a model is one line of 1 to {MAX_MODEL} printable characters")
    return text


def _check_free(before: Deployment | None, name: DeploymentName) -> None:
    if before is not None and before.state not in OVER:
        raise Conflict(f"{name} is {before.state} already; stop it first, or choose another name")
