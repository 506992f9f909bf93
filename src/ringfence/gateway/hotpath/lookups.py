"""Receipts are read from files, hence in a thread: whoever asked for one waits meanwhile, or goes away."""

import asyncio
import logging
from typing import Protocol

from ringfence.gateway.hotpath import plain
from ringfence.gateway.hotpath.access import Access
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.ports import FoundReceipt
from ringfence.kernel.errors import NotFound, RingfenceError

_log = logging.getLogger(__name__)


class Asker(Protocol):
    """The connection on which a receipt was asked for."""

    def named(self, access: Access) -> bytes:
        """Return the headers that every answer has."""
        ...

    def send(self, data: bytes) -> None:
        """Send an answer."""
        ...

    def refuse(self, problem: Problem, access: Access, *, close: bool) -> None:
        """Answer with an error."""
        ...

    def done(self, access: Access, *, close: bool) -> None:
        """End."""
        ...


class Lookup:
    """A receipt is being looked for, in a thread."""

    def __init__(self, connection: Asker, access: Access, *, close: bool) -> None:
        self._connection, self._access, self._close = connection, access, close
        self._over = False

    def found(self, done: "asyncio.Future[FoundReceipt]") -> None:
        """Answer, if anybody still waits."""
        if done.cancelled() or self._over:
            return
        error = done.exception()
        if error is None:
            headers = self._connection.named(self._access)
            self._access.status, answer = plain.receipt(done.result(), headers, close=self._close)
            self._connection.send(answer)
            self._connection.done(self._access, close=self._close)
        else:
            self._connection.refuse(_sought(error), self._access, close=self._close)

    def gone(self) -> None:
        """Answer nobody."""
        self._over = True
        self._access.error = "client_gone"
        self._connection.done(self._access, close=True)

    def pause(self) -> None:
        """Do nothing: the answer is short."""

    def resume(self) -> None:
        """Do nothing."""

    def expire(self) -> None:
        """Do nothing: no deadline is set."""


def _sought(error: BaseException) -> Problem:
    if isinstance(error, NotFound):
        return Problem(404, "receipt_not_found", "there is no such receipt for this key")
    if isinstance(error, RingfenceError):
        return Problem(503, "receipt_unavailable", str(error), retry_after=5)
    _log.error("a receipt could not be looked for: %s", type(error).__name__)
    return Problem(500, "internal", "the receipt could not be looked for")
