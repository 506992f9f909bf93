"""Callers, deployments, and what one answer leaves behind."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant

ApiKeyId = NewType("ApiKeyId", str)  # `k-` and 12 hexadecimal digits; the public half of an API key
RequestId = NewType("RequestId", str)  # `req-` and 32 hexadecimal digits; names a response and its receipt
DeploymentName = NewType("DeploymentName", str)  # what a caller writes as `model`

_KEY = re.compile(r"k-[0-9a-f]{12}")
_REQUEST = re.compile(r"req-[0-9a-f]{32}")
_DEPLOYMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def api_key_id(text: object) -> ApiKeyId:
    """Parse the public half of an API key."""
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not the id of an API key such as k-0123456789ab")
    return ApiKeyId(text)


def request_id(text: object) -> RequestId:
    """Parse the id of a request."""
    if not isinstance(text, str) or not _REQUEST.fullmatch(text):
        raise MalformedInput(f"{str(text)[:48]!r} is not the id of a request: req- and 32 hexadecimal digits")
    return RequestId(text)


def deployment_name(text: object) -> DeploymentName:
    """Parse the name of a deployment."""
    if not isinstance(text, str) or not _DEPLOYMENT.fullmatch(text):
        raise MalformedInput(
            f"{str(text)[:64]!r} is not a deployment's name: lower-case letters, digits, dots, _ and -, at most 63"
        )
    return DeploymentName(text)


class Protocol(StrEnum):
    """What an engine speaks."""

    OPENAI = "openai"
    INFERENCE_V2 = "inference-v2"  # Open Inference Protocol, REST


class Basis(StrEnum):
    """Why a digest is shown for a model: the kinds never look alike."""

    DECLARED = "declared"  # whoever attached the engine said so
    LOADED = "loaded"  # the loader hashed these bytes and gave the same bytes to the engine


class DeploymentState(StrEnum):
    """Where a deployment is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    FAILED = "failed"
    STOPPED = "stopped"


class OnRecordFailure(StrEnum):
    """What a route does while no receipt can be kept."""

    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model behind a deployment, as far as anybody knows it."""

    name: str  # what the engine calls it; requests are forwarded with this name
    digest: Digest | None  # of the signed manifest, or of the single file; none: nobody said
    basis: Basis


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where an engine listens: a URL, or a Unix socket (an SSH tunnel to a node ends in one)."""

    url: str  # http://127.0.0.1:8000/v1, https://engine.example/v1; the path is a prefix
    socket: str = ""  # below the gateway's folder, or absolute; the URL's host is then only the Host header
    credential: str = ""  # file below the gateway's folder with the bearer token for this engine


@dataclass(frozen=True, slots=True)
class Deployment:
    """An engine that callers reach by a name."""

    name: DeploymentName
    tenant: Tenant
    protocol: Protocol
    upstream: Upstream
    model: ServedModel
    node: str  # node id where we run it; empty where it runs elsewhere
    state: DeploymentState
    on_record_failure: OnRecordFailure
    created_at: datetime
    because: str = ""  # why it failed
    subject: Digest | None = None  # what statements about it are about: random, so that it says nothing by itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What one API key may ask for."""

    requests_per_minute: int
    concurrent: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A caller's key: the secret is known to the caller alone, its SHA-256 to us (256 random bits need no salt)."""

    id: ApiKeyId
    tenant: Tenant
    secret_hash: bytes
    name: str
    deployments: tuple[DeploymentName, ...]  # empty: every deployment of the tenant
    limits: Limits
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    blocked: str = ""  # why detection blocked it; a person unblocks


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Keys and routes as the hot path uses them; older than its life, protected routes refuse."""

    version: int
    issued_at: datetime
    expires_at: datetime
    keys: tuple[ApiKey, ...]
    deployments: tuple[Deployment, ...]
    digest: Digest  # of its keys and routes; stands in every receipt as the policy that admitted it
    guard: bool = False  # judge request bodies for injection phrases; the verdict is recorded, never a refusal
