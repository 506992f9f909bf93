"""This machine's time, for the process of the gateway."""

import time
from datetime import UTC, datetime

from ringfence.kernel.clock import to_text


class WallClock:
    """The clock of this machine; fulfils `kernel.clock.Clock`."""

    def __init__(self) -> None:
        self._millis = 0
        self._instant = datetime.fromtimestamp(0, tz=UTC)
        self._text = ""

    def now(self) -> datetime:
        """Return the current instant in UTC, to the millisecond; many requests share one."""
        millis = time.time_ns() // 1_000_000
        if millis != self._millis:
            self._millis, self._text = millis, ""
            self._instant = datetime.fromtimestamp(millis / 1000, tz=UTC)
        return self._instant

    def text(self) -> str:
        """Return the current instant as it is printed."""
        instant = self.now()
        if not self._text:
            self._text = to_text(instant)
        return self._text
