"""Deployments as the hot path needs them: everything that is the same for each request, printed once."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from ringfence.gateway.hotpath.engines import Engine
from ringfence.gateway.hotpath.pools import EnginePool
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.routes import Called
from ringfence.gateway.model import ApiKey, ApiKeyId, Deployment, DeploymentState, Protocol, Upstream
from ringfence.gateway.records import Terms
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.kernel.identifier import Tenant

REMEMBERED = 10_000  # what keys were granted
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_AUTHORITY = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){0,8}")
_PLAIN = re.compile(r"[\x21-\x7e]{1,2048}")
_VERSIONS = {Protocol.OPENAI: "/v1", Protocol.INFERENCE_V2: "/v2"}


@dataclass(slots=True)
class Target:
    """A deployment, ready to be called.

    Attributes:
        name: what the engine calls the model, as a JSON string.
        marks: headers of each answer: which model, and why we say so.
    """

    deployment: Deployment
    engine: Engine
    name: bytes
    marks: bytes
    prefix: str
    host: str
    authorization: str
    pool: EnginePool | None = None  # the connections to its engine
    _heads: dict[str, bytes] = field(default_factory=dict)

    def head(self, called: Called) -> bytes:
        """Return the head of the engine's request, up to where its length and id follow."""
        head = self._heads.get(called.below)
        if head is None:
            head = self._heads[called.below] = self._head(called)
        return head

    def _head(self, called: Called) -> bytes:
        path = self.prefix + called.below.replace("{model}", quote(self.deployment.model.name, safe=""))
        credential = f"authorization: Bearer {self.authorization}\r\n" if self.authorization else ""
        sent = "content-type: application/json\r\n" if called.method == "POST" else ""
        return (
            f"{called.method} {path} HTTP/1.1\r\nhost: {self.host}\r\naccept-encoding: identity\r\n"
            f"user-agent: ringfence\r\n{credential}{sent}"
        ).encode()


@dataclass(frozen=True, slots=True)
class Granted:
    """What a key gets where it names a deployment: the same for each of its requests, until keys or routes change."""

    target: Target
    head: bytes  # of the engine's request, up to where its length and id follow
    terms: Terms | None  # none: not recorded


def token(path: str) -> str:
    """Read the bearer token for an engine.

    Raises:
        Unavailable: it cannot be read, or is none.
    """
    if not path:
        return ""
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise Unavailable("the file with the engine's credential cannot be read by the gateway") from None
    if not _TOKEN.fullmatch(text):
        raise Unavailable("the file with the engine's credential holds no token")
    return text


def engine_of(upstream: Upstream) -> tuple[Engine, str, str]:
    """Return where to connect to, the path's prefix, and the Host header.

    Raises:
        MalformedInput: the URL is not one of an engine.
    """
    try:
        parts = urlsplit(upstream.url)
        port = parts.port
    except ValueError as error:
        raise MalformedInput(f"the engine's URL is not one: {error}") from error
    prefix = parts.path.rstrip("/")
    if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(parts.netloc) or not parts.hostname:
        raise MalformedInput("the engine's URL begins with http:// or https:// and a host, without a user")
    if not _PLAIN.fullmatch(upstream.url) or parts.query or parts.fragment or not _PREFIX.fullmatch(prefix):
        raise MalformedInput("the engine's URL has a plain path, and no query")
    tls = parts.scheme == "https"
    return Engine(parts.hostname, port or (443 if tls else 80), tls, upstream.socket), prefix, parts.netloc


def prepared(deployment: Deployment, read: Callable[[str], str] = token) -> Target:
    """Return a deployment ready to be called.

    Raises:
        MalformedInput: its URL is none.
        Unavailable: its credential cannot be read.
    """
    engine, prefix, host = engine_of(deployment.upstream)
    model = deployment.model
    marks = f"x-ringfence-model-digest: {model.digest or 'unknown'}\r\nx-ringfence-digest-basis: {model.basis}\r\n"
    return Target(
        deployment=deployment,
        engine=engine,
        name=json.dumps(model.name).encode(),
        marks=marks.encode(),
        prefix=prefix or _VERSIONS[deployment.protocol],
        host=host,
        authorization=read(deployment.upstream.credential),
    )


class Targets:
    """The deployments of one snapshot."""

    def __init__(self, known: Iterable[Deployment], read: Callable[[str], str] = token) -> None:
        self._ready: dict[tuple[Tenant, str], Target | Problem] = {}
        self._granted: dict[tuple[ApiKeyId, str, str], Granted] = {}
        self._known = tuple(known)
        for each in self._known:
            self._ready[each.tenant, each.name] = self._one(each, read)

    def _one(self, deployment: Deployment, read: Callable[[str], str]) -> Target | Problem:
        if deployment.state is not DeploymentState.SERVING:
            return Problem(503, "not_serving", f"the deployment {deployment.name} is {deployment.state}", retry_after=5)
        try:
            return prepared(deployment, read)
        except (MalformedInput, Unavailable) as error:
            return Problem(503, "not_callable", f"the deployment {deployment.name} cannot be called: {error}")

    def granted(self, key: ApiKey, name: str, called: Called, policy: Digest) -> Granted:
        """Return what a caller gets who names this deployment; `policy` is the digest of this very snapshot.

        Raises:
            Problem: as `find`.
        """
        place = (key.id, name, called.below)
        found = self._granted.get(place)
        if found is None:
            target = self.find(key, name, called.protocol)
            one, terms = target.deployment, None
            if called.recorded is not None:
                terms = Terms(key.id, key.tenant, called.recorded, one.name, one.model, one.node, policy)
            if len(self._granted) >= REMEMBERED:
                self._granted.clear()
            found = self._granted[place] = Granted(target, target.head(called), terms)
        return found

    def find(self, key: ApiKey, name: str, protocol: Protocol) -> Target:
        """Return the deployment that a caller names.

        Raises:
            Problem: 404 where there is none for this key; 400 where it speaks another protocol; 503 where it is down.
        """
        found = self._ready.get((key.tenant, name))
        if found is None or (key.deployments and name not in key.deployments):
            raise Problem(404, "model_not_found", f"there is no deployment {name[:64]!r} for this key", param="model")
        if isinstance(found, Problem):
            raise Problem(found.status, found.code, str(found), retry_after=found.retry_after)
        if found.deployment.protocol is not protocol:
            text = f"the deployment {name} speaks {found.deployment.protocol}, not {protocol}"
            raise Problem(400, "wrong_protocol", text, param="model")
        return found

    def of(self, key: ApiKey) -> list[Deployment]:
        """Return the deployments that a key is for."""
        return [
            each
            for each in self._known
            if each.tenant == key.tenant and (not key.deployments or each.name in key.deployments)
        ]

    def ready(self) -> list[Target]:
        """Return every deployment that can be called."""
        return [each for each in self._ready.values() if isinstance(each, Target)]
