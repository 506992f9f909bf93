"""Which route a request's target names."""

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.model import Protocol, RequestId
from ringfence.gateway.records import Route


class Action(StrEnum):
    """What a route does."""

    INFER = "infer"  # forwarded and recorded
    DESCRIBE = "describe"  # forwarded: what an engine says about a model; no receipt
    MODELS = "models"
    MODEL = "model"
    RECEIPT = "receipt"
    HEALTH = "health"
    LIVE = "live"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Called:
    """A route, and what its path names.

    Attributes:
        below: the path below the engine's prefix, with `{model}` for the model's name.
        name: deployment or request that the path names.
    """

    action: Action
    label: str  # in the access record
    method: str
    recorded: Route | None = None
    protocol: Protocol = Protocol.OPENAI
    below: str = ""
    name: str = ""
    forwarded: bool = False  # to an engine, as are the two below; members of an enumeration are slow to name
    infers: bool = False
    openai: bool = False


def _openai(route: Route, below: str) -> Called:
    return Called(Action.INFER, route.value, "POST", route, below=below, forwarded=True, infers=True, openai=True)


CHAT = _openai(Route.CHAT_COMPLETIONS, "/chat/completions")
COMPLETIONS = _openai(Route.COMPLETIONS, "/completions")
EMBEDDINGS = _openai(Route.EMBEDDINGS, "/embeddings")
_FIXED = MappingProxyType(
    {
        b"/v1/chat/completions": CHAT,
        b"/v1/completions": COMPLETIONS,
        b"/v1/embeddings": EMBEDDINGS,
        b"/v1/models": Called(Action.MODELS, "models", "GET"),
        b"/healthz": Called(Action.HEALTH, "health", "GET"),
        b"/v2/health/live": Called(Action.LIVE, "health", "GET"),
        b"/v2/health/ready": Called(Action.READY, "health", "GET"),
    }
)
_MODEL = re.compile(rb"/v1/models/([a-z0-9][a-z0-9._-]{0,62})")
_RECEIPT = re.compile(rb"/v1/receipts/(req-[0-9a-f]{32})")
_V2 = re.compile(rb"/v2/models/([a-z0-9][a-z0-9._-]{0,62})(/infer|/ready)?")
LONGEST_TARGET = 512


def called(method: str, target: bytes) -> Called:
    """Return what a method and target ask for; a query is not looked at and never forwarded.

    Raises:
        Problem: 404, or 405 for another method.
    """
    path = target.partition(b"?")[0]
    found = _FIXED.get(path) or _variable(path)
    if found is None:
        raise Problem(404, "unknown_url", "there is no such route; see /v1/models for what is served")
    if found.method != method:
        raise Problem(405, "method_not_allowed", f"this route takes {found.method} only")
    return found


def _variable(path: bytes) -> Called | None:
    if len(path) > LONGEST_TARGET:
        return None
    if match := _MODEL.fullmatch(path):
        return Called(Action.MODEL, "models", "GET", name=match[1].decode())
    if match := _RECEIPT.fullmatch(path):
        return Called(Action.RECEIPT, "receipts", "GET", name=RequestId(match[1].decode()))
    if match := _V2.fullmatch(path):
        return _inference(match[1].decode(), (match[2] or b"").decode())
    return None


def _inference(name: str, rest: str) -> Called:
    """Return a route of the Open Inference Protocol."""
    below = f"/models/{{model}}{rest}"
    if rest == "/infer":
        protocol = Protocol.INFERENCE_V2
        return Called(
            Action.INFER, "inference-v2", "POST", Route.INFERENCE_V2, protocol, below, name, forwarded=True, infers=True
        )
    return Called(Action.DESCRIBE, "inference-v2", "GET", None, Protocol.INFERENCE_V2, below, name, forwarded=True)
