"""A sensor that stops: no line is no news only as long as the sensor itself is heard.

What is heard is the sensor (a log that can be read, a counter that answers), not the attacker: a quiet node is no
finding, a tail that ended is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.model import Finding, finding_id

RULE = "source-silent"
INTERVALS = 3  # missed before a sensor counts as silent
TITLE = "A sensor went silent"
TECHNIQUE = ("T1562",)


@dataclass(slots=True)
class Silence:
    """When each sensor was last heard.

    Attributes:
        interval: how often a sensor is expected to be heard.
    """

    interval: timedelta = timedelta(seconds=20)
    _heard: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def heard(self, node: str, source: str, at: datetime) -> None:
        """Note that a sensor works; the first time begins the watch."""
        key = (node, source)
        self._heard[key] = max(at, self._heard.get(key, at))

    def forget(self, node: str) -> None:
        """End the watch over a node that was stopped on purpose."""
        for key in [key for key in self._heard if key[0] == node]:
            del self._heard[key]

    def due(self, now: datetime) -> list[Finding]:
        """Return a finding for each sensor that has been silent too long; the same one as long as it stays silent."""
        limit = self.interval * INTERVALS
        return [
            _finding(node, source, last, now)
            for (node, source), last in sorted(self._heard.items())
            if now - last >= limit
        ]

    def snapshot(self) -> list[Any]:
        """Return the state as JSON values."""
        return [[node, source, at.isoformat()] for (node, source), at in self._heard.items()]

    def restore(self, state: Any) -> None:
        """Continue from a snapshot.

        Raises:
            MalformedInput: it is none.
        """
        try:
            self._heard = {(str(node), str(source)): datetime.fromisoformat(at) for node, source, at in state}
        except (TypeError, ValueError):
            raise MalformedInput("a snapshot of sensors does not have its shape") from None


def _finding(node: str, source: str, last: datetime, now: datetime) -> Finding:
    """Describe a silence: it begins when the sensor was last heard; which sensor it was stands in the title."""
    identifier = finding_id(f"{RULE} {source}", node, "", last)
    return Finding(identifier, RULE, node, "", last, now, 1, "medium", TECHNIQUE, (), f"{TITLE}: {source}")


def without(findings: list[Finding], known: Mapping[str, object]) -> list[Finding]:
    """Return those findings that are not known yet."""
    return [each for each in findings if each.id not in known]
