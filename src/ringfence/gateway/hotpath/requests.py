"""Read requests of a caller: strictly, within bounds, several on one connection in their order."""

from collections import deque
from collections.abc import Callable

import httptools

from ringfence.gateway.hotpath.heads import KnownHead, known
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.routes import Called
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.model import ApiKeyId

# Headers that mean something here; each may stand once. All others are read over, and none is forwarded.
_KNOWN = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"inference-header-content-length",
    )
)


class Incoming:
    """One request of a caller."""

    # What is not yet known stands here, on the class: one of these is made per request.
    called: Called | None = None  # both set by whoever welcomes it
    shown: ApiKeyId | None = None
    method = ""
    target = b""
    body = b""
    limit = 0  # of its body
    size = 0  # of its headers, in characters
    keep_alive = True

    def __init__(self, fields: dict[bytes, bytes]) -> None:
        self.fields = fields


class RequestReader:
    """Feed it bytes; take whole requests from `ready`.

    `welcome` is called with each request's head: it returns how long the body may be, or raises `Problem`.
    """

    __slots__ = (
        "_before",
        "_body",
        "_count",
        "_known",
        "_parser",
        "_problem",
        "_since",
        "_tuning",
        "_welcome",
        "expecting",
        "now",
        "ready",
    )

    def __init__(self, tuning: Tuning, welcome: Callable[[Incoming], int]) -> None:
        self._tuning = tuning
        self._welcome = welcome
        self.now: Incoming | None = None  # the request that has begun and is not complete
        self._body: list[bytes] | None = None  # None: the head is not complete
        self._count = 0  # of header fields; then of bytes of the body
        self._since = 0  # raw bytes since the last request was complete
        self._problem: Problem | None = None
        self._known: KnownHead | None = None  # what the last head was
        self._before = Incoming({})  # which had it; its body is not kept
        self.expecting = False  # the caller waits for a word before it sends the body
        self.ready: deque[Incoming] = deque()
        self._parser = httptools.HttpRequestParser(self)

    @property
    def in_body(self) -> bool:
        """Return whether a request's head is complete and its body is not."""
        return self._body is not None

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            Problem: what came is not a request; nothing after it can be read.
        """
        first = self.now is None
        if first and self._known is not None:
            body = self._known.body(data)
            if body is not None:
                self._take_again(body)
                return
        self._since += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise self._problem or _no_upgrade() from None
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                raise error.__context__ or error from None
            raise self._problem or Problem(400, "malformed_request", f"this is not HTTP: {error}"[:200]) from None
        if self._problem:
            raise self._problem
        self._check_raw()
        if first and self.now is None:
            self._remember(data)

    def _remember(self, data: bytes) -> None:
        """Know the head of the request that these bytes were, should it come again."""
        self._known = None
        last = self.ready[-1] if self.ready else self._before
        if last.keep_alive and b"content-length" in last.fields and b"expect" not in last.fields:
            self._known, before = known(data, len(last.body)), self._before
            before.method, before.target, before.fields = last.method, last.target, last.fields

    def _take_again(self, body: bytes) -> None:
        """Take a request with the head of the one before."""
        before = self._before
        now = self.now = Incoming(before.fields)
        now.method, now.target = before.method, before.target
        limit = self._welcome(now)
        if len(body) > limit:
            raise _too_large(limit)
        now.body = body
        self.now = None
        self._hand_over(now)
        if self._problem:
            raise self._problem

    def _check_raw(self) -> None:
        """Bound what is no header and no body: a head without end, chunk extensions."""
        now = self.now
        if now is None:
            self._since = 0
        elif self._body is None and self._since > self._tuning.head_bytes:
            raise _headers_too_large()
        elif self._since > self._tuning.head_bytes + 8 * now.limit:
            raise Problem(413, "body_too_large", "the body is sent in chunks that are almost empty")

    # What follows is called by httptools.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.now = Incoming({})
        self._body = None
        self._count = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if self.now:
            self.now.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        now = self.now
        if now is None or self._problem:
            return
        if self._body is not None:
            self._problem = Problem(400, "no_trailers", "header fields after the body are not taken")
            return
        self._count += 1
        now.size += len(name) + len(value)
        name = name.lower()
        if name in _KNOWN:
            if name in now.fields:
                self._problem = Problem(400, "duplicate_header", f"the header {name.decode()} stands twice")
            now.fields[name] = value

    def on_headers_complete(self) -> None:
        """Judge the head: may the body come, and how long."""
        now = self.now
        if now is None or self._problem:
            return
        self._body = []
        now.method = self._parser.get_method().decode("latin-1")
        now.keep_alive = self._parser.should_keep_alive()
        try:
            self._check_head(now)
            now.limit = self._welcome(now)
            self._check_length(now)
        except Problem as problem:
            self._problem = problem
        self._count = 0

    def _check_head(self, now: Incoming) -> None:
        if now.size > self._tuning.head_bytes or self._count > self._tuning.head_fields:
            raise _headers_too_large()
        if self._parser.get_http_version() != "1.1":
            raise Problem(505, "http_version", "this gateway speaks HTTP/1.1 only")
        if self._parser.should_upgrade():
            raise _no_upgrade()
        if b"host" not in now.fields:
            raise Problem(400, "missing_host", "a request needs one Host header")
        if not now.target.startswith(b"/"):
            raise Problem(400, "malformed_target", "the target of a request begins with a slash")
        if b"expect" in now.fields and now.fields[b"expect"].lower() != b"100-continue":
            raise Problem(417, "unknown_expectation", "only 100-continue can be expected")

    def _check_length(self, now: Incoming) -> None:
        length = now.fields.get(b"content-length")
        if length is not None and int(length) > now.limit:
            raise _too_large(now.limit)
        self.expecting = b"expect" in now.fields and length != b"0"

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self.now is None or self._body is None or self._problem:
            return
        self._count += len(data)
        if self._count > self.now.limit:
            self._problem = _too_large(self.now.limit)
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        now = self.now
        if now is None or self._body is None or self._problem:
            return
        self._since = 0
        now.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self.now = self._body = None
        self.expecting = False
        self._hand_over(now)

    def _hand_over(self, now: Incoming) -> None:
        self.ready.append(now)
        if len(self.ready) > self._tuning.pipelined:
            self._problem = Problem(400, "too_many_pipelined", "read the answers before you send more requests")


def _no_upgrade() -> Problem:
    return Problem(400, "no_upgrade", "this gateway speaks HTTP/1.1 only")


def _headers_too_large() -> Problem:
    return Problem(431, "headers_too_large", "the header fields are too many or too long")


def _too_large(limit: int) -> Problem:
    return Problem(413, "body_too_large", f"the body may have {limit} bytes")
