"""The turn that drives every node to where it should be: taken at the start, and again every few seconds."""

import logging
from dataclasses import dataclass, field

from ringfence.compute.model import Swept
from ringfence.compute.service import Compute

INTERVAL_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Reconciler:
    """Calls `Compute.sweep`; the first turn that goes through asserts every cut again, whatever seems to hold."""

    compute: Compute
    _first: bool = True
    _said: frozenset[str] = field(default=frozenset())

    def __call__(self) -> None:
        """Take one turn."""
        swept = self.compute.sweep(first=self._first)
        self._first = False
        self._say(swept)

    def _say(self, swept: Swept) -> None:
        """Log what is new: the same problem every two seconds is read by nobody."""
        strangers = (f"{node} runs here and nobody asked for it; it was left alone" for node in swept.strangers)
        told = frozenset((*swept.problems, *strangers))
        for sentence in sorted(told - self._said):
            _LOG.warning("%s", sentence)
        self._said = told
