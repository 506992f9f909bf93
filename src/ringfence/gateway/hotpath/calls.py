"""Judge a request: first its head, then, when it is whole, all of it. Raises `Problem` for whatever is not served."""

import json
from time import time_ns
from typing import Any

from ringfence.gateway.hotpath import asking
from ringfence.gateway.hotpath.access import Access
from ringfence.gateway.hotpath.callers import Caller, Shown
from ringfence.gateway.hotpath.desk import Desk
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.requests import Incoming
from ringfence.gateway.hotpath.routes import Action, Called, called
from ringfence.gateway.hotpath.targets import Granted
from ringfence.gateway.model import Snapshot

_OPEN = frozenset((Action.HEALTH, Action.LIVE, Action.READY))
_JSON = b"application/json"


class Call:
    """A request that will be served: who asks, what, and of which engine."""

    __slots__ = ("body", "caller", "keep_alive", "question", "snapshot", "target", "terms")

    def __init__(
        self, incoming: Incoming, caller: Caller, snapshot: Snapshot, granted: Granted, question: bytes
    ) -> None:
        self.body = incoming.body  # as the caller sent it
        self.keep_alive = incoming.keep_alive
        self.caller = caller
        self.snapshot = snapshot
        self.target = granted.target
        self.terms = granted.terms
        self.question = question  # as the engine gets it


def welcome(desk: Desk, incoming: Incoming, before: Shown) -> int:
    """Judge a request's head; return how long its body may be. `before` is what its connection showed before.

    Raises:
        Problem: there is no such route, or the caller may not use it.
    """
    where = incoming.called = called(incoming.method, incoming.target)
    if where.action in _OPEN:
        return 0
    now = time_ns()
    desk.fresh(now)
    shown = before.again(incoming.fields.get(b"authorization"))
    incoming.shown = shown.id
    caller = before.proven(desk.callers)
    if caller is None:
        raise Problem(401, "invalid_api_key", "this is not an API key of this gateway")
    caller.check(now)
    if not where.infers:
        return 0
    _check_fields(incoming.fields)
    return caller.key.limits.body_bytes


def _check_fields(fields: dict[bytes, bytes]) -> None:
    kind = fields.get(b"content-type", _JSON)
    if kind != _JSON and kind.partition(b";")[0].strip().lower() != _JSON:
        raise Problem(415, "content_type", "send application/json")
    if b"content-encoding" in fields and fields[b"content-encoding"].lower() != b"identity":
        raise Problem(415, "content_encoding", "send the body as it is, not compressed")
    if b"inference-header-content-length" in fields:
        raise Problem(415, "binary_tensors", "send tensors as JSON; the binary extension is not taken")


def current(desk: Desk, incoming: Incoming) -> tuple[Snapshot, Caller]:
    """Return what the newest snapshot says of a caller: it may have been blocked while its body was on the way.

    Raises:
        Problem: it may not be served any more.
    """
    now = time_ns()
    snapshot = desk.fresh(now)
    caller = desk.callers.known.get(incoming.shown) if incoming.shown else None
    if caller is None:
        raise Problem(401, "invalid_api_key", "this is not an API key of this gateway")
    caller.check(now)
    return snapshot, caller


def prepared(desk: Desk, incoming: Incoming, where: Called, access: Access) -> Call:
    """Judge a whole request for an engine, and count it into the key's usage.

    Raises:
        Problem: it is not served.
    """
    desk.check_recording()
    snapshot, caller = current(desk, incoming)
    key, sent = caller.key, incoming.body
    if where.openai:
        access.asked, place = asking.read(sent)
        name = access.model = access.asked["model"]
        granted = desk.targets.granted(key, name, where, snapshot.digest)
        sent = asking.renamed(sent, place, granted.target.name)
    else:
        access.model = where.name
        if where.infers:
            access.asked = asking.read_object(sent)
        granted = desk.targets.granted(key, where.name, where, snapshot.digest)
    access.deployment = granted.target.deployment.name
    length = b"content-length: %d\r\n" % len(sent) if where.method == "POST" else b""
    question = b"%b%bx-request-id: %b\r\n\r\n%b" % (granted.head, length, access.request.encode(), sent)
    caller.usage.enter(key.limits, desk.loop.time())
    return Call(incoming, caller, snapshot, granted, question)


def described(value: Any) -> bytes:
    """Print a JSON answer of our own."""
    return json.dumps(value, separators=(",", ":")).encode()
