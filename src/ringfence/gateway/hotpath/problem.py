"""Errors as an OpenAI client expects them: {"error": {"message", "type", "param", "code"}}."""

import json
from http import HTTPStatus

from ringfence.kernel.errors import RingfenceError

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Problem(RingfenceError):
    """An answer that says why there is no other: status, code for programs, one sentence for people."""

    __slots__ = ("code", "param", "retry_after", "status")

    def __init__(self, status: int, code: str, message: str, *, param: str = "", retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.retry_after = retry_after

    @property
    def kind(self) -> str:
        """Return the `type` of the error."""
        return "server_error" if self.status >= 500 else _TYPES.get(self.status, "invalid_request_error")

    def body(self) -> bytes:
        """Return the JSON document."""
        error = {"message": str(self), "type": self.kind, "param": self.param or None, "code": self.code}
        return json.dumps({"error": error}, separators=(",", ":")).encode()

    def headers(self) -> bytes:
        """Return the headers that belong to it."""
        asked = b"www-authenticate: Bearer\r\n" if self.status == 401 else b""
        return asked + (b"retry-after: %d\r\n" % self.retry_after if self.retry_after else b"")


def status_line(status: int) -> bytes:
    """Return the first line of an answer."""
    try:
        return _LINES[status]
    except KeyError:
        return b"HTTP/1.1 %d \r\n" % status


_LINES = {known.value: f"HTTP/1.1 {known.value} {known.phrase}\r\n".encode() for known in HTTPStatus}


def answer_bytes(
    status: int, body: bytes, headers: bytes = b"", *, close: bool, kind: bytes = b"application/json"
) -> bytes:
    """Return a whole answer of our own."""
    return b"%bcontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n%b" % (
        status_line(status),
        kind,
        len(body),
        headers,
        b"connection: close\r\n" if close else b"",
        body,
    )
