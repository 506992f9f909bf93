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
from ringfence.gateway.hotpath.targets import Target
from ringfence.gateway.model import Protocol, Snapshot

_OPEN = frozenset((Action.HEALTH, Action.LIVE, Action.READY))
_JSON = b"application/json"


class Call:
    """A request that will be served: who asks, what, and of which engine."""

    __slots__ = ("body", "called", "caller", "keep_alive", "question", "snapshot", "target")

    def __init__(self, incoming: Incoming, called: Called, caller: Caller, snapshot: Snapshot, target: Target) -> None:
        self.body = incoming.body  # as the caller sent it
        self.keep_alive = incoming.keep_alive
        self.called = called
        self.caller = caller
        self.snapshot = snapshot
        self.target = target
        self.question = b""  # as the engine gets it


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
    caller = desk.callers.proven(shown)
    if caller is None:
        raise Problem(401, "invalid_api_key", "this is not an API key of this gateway")
    caller.check(now)
    if where.action is not Action.INFER:
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
    sent = incoming.body
    if where.protocol is Protocol.OPENAI:
        asked = asking.read(sent)
        access.asked, access.model = asked.fields, asked.model
        target = desk.targets.find(caller.key, asked.model, where.protocol)
        sent = asking.renamed(sent, asked.place, target.name)
    else:
        access.model = where.name
        if where.action is Action.INFER:
            access.asked = asking.read_object(sent)
        target = desk.targets.find(caller.key, where.name, where.protocol)
    access.deployment = target.deployment.name
    call = Call(incoming, where, caller, snapshot, target)
    length = b"content-length: %d\r\n" % len(sent) if where.method == "POST" else b""
    call.question = b"%b%bx-request-id: %b\r\n\r\n%b" % (target.head(where), length, access.request.encode(), sent)
    caller.usage.enter(caller.key.limits, desk.loop.time())
    return call


def described(value: Any) -> bytes:
    """Print a JSON answer of our own."""
    return json.dumps(value, separators=(",", ":")).encode()
