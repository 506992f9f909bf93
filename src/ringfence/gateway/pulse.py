"""Whether the gateway answers, as `up` sees it. Pure: who asks is handed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.clock import Clock

PATIENCE = timedelta(seconds=10)  # a process that ended is started again within that, unless something is wrong

Port = Callable[[], int]  # says where the gateway listens on this machine
Ask = Callable[[], str]  # says why there is no answer; empty where there is one


@dataclass(slots=True)
class Pulse:
    """What is known of the gateway's answers; nothing, until somebody expects one."""

    clock: Clock
    asks: Ask | None = None
    port: Port | None = None
    silent_since: datetime | None = None
    because: str = ""

    def expect(self, asks: Ask | None, port: Port | None = None) -> None:
        """Expect answers from now on, or none any more."""
        self.asks, self.port, self.silent_since, self.because = asks, port, None, ""

    def listens(self) -> int | None:
        """Return where the gateway listens; None where nobody expects an answer of it."""
        return self.port() if self.port is not None else None

    def take(self) -> None:
        """Ask once, where an answer is expected."""
        asks = self.asks
        if asks is None:
            return
        began = self.clock.now()
        because = asks()
        if asks is not self.asks:
            return  # it was told to stop while we asked
        self.because = because
        self.silent_since = (self.silent_since or began) if because else None

    def stuck_since(self, now: datetime) -> datetime | None:
        """Return since when nobody answers, where that is too long; None where it is not."""
        since = self.silent_since
        return since if since is not None and not since <= now < since + PATIENCE else None
