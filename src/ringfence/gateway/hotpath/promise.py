"""A promise that something is on the disk: what an `asyncio.Future` does, without a turn of the loop per callback."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any


class Promise:
    """Fulfils `gateway.ports.Durable`; used in the event loop only."""

    __slots__ = ("_calls", "_ended", "_error")

    def __init__(self) -> None:
        self._calls: list[Callable[[Any], object]] = []
        self._ended = False
        self._error: BaseException | None = None

    def end(self, error: BaseException | None) -> None:
        """Keep the promise, or say why it is not kept; whoever waits is called at once."""
        self._ended, self._error = True, error
        calls, self._calls = self._calls, []
        for call in calls:
            call(self)

    def done(self) -> bool:
        """Return whether it has ended."""
        return self._ended

    def exception(self) -> BaseException | None:
        """Return why it was not kept, once it has ended."""
        return self._error

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        """Call `call(self)` once it has ended; soon, where it has."""
        if self._ended:
            asyncio.get_running_loop().call_soon(call, self)
        else:
            self._calls.append(call)

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for it; who gives up waiting changes nothing."""
        if not self._ended:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._calls.append(lambda _: None if waiting.done() else waiting.set_result(None))
            yield from waiting
        if self._error is not None:
            raise self._error
