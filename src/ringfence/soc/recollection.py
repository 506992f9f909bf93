"""What the watch remembers of one tenant between two lines: the detector, and who came in with a certificate. Pure."""

import json
import logging
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.errors import RingfenceError
from ringfence.soc.model import Detecting, Event

ADMINISTRATOR = timedelta(hours=24)  # how long an accepted certificate speaks for an address
MAX_ADMINISTRATORS = 1000

_CERTIFICATE = re.compile(r" ssh2: \S+-CERT \S+ ID .* \(serial \d+\) CA \S+ \S+$", re.DOTALL)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recollection:
    """What is remembered of one tenant: the detector, and from where certificates were accepted."""

    detector: Detecting
    administrators: dict[str, datetime] = field(default_factory=dict)
    dirty: bool = False

    def text(self) -> str:
        """Print it."""
        seen = {address: to_millis(at) for address, at in self.administrators.items()}
        return json.dumps({"detector": self.detector.snapshot(), "administrators": seen})

    def read(self, text: str) -> None:
        """Read what was printed; what cannot be read is forgotten, and said so."""
        try:
            document: dict[str, Any] = json.loads(text)
            self.detector.restore(document["detector"])
            self.administrators = {str(k): from_millis(int(v)) for k, v in document["administrators"].items()}
        except (ValueError, KeyError, TypeError, RingfenceError) as error:
            _log.warning("the detector starts afresh: its state could not be read (%s)", error)

    def notice(self, event: Event) -> None:
        """Remember from where a certificate was accepted: a stranger cannot make sshd write that."""
        accepted = event.source == "sshd" and event.fields.get("status") == "Success"
        source = event.fields.get("src_endpoint.ip")
        if accepted and isinstance(source, str) and _CERTIFICATE.search(event.raw):
            self.administrators.pop(source, None)
            self.administrators[source] = event.at
            while len(self.administrators) > MAX_ADMINISTRATORS:
                del self.administrators[next(iter(self.administrators))]

    def knows(self, source: str, at: datetime) -> bool:
        """Return whether a certificate was accepted from a source lately."""
        seen = self.administrators.get(source)
        return seen is not None and at - seen < ADMINISTRATOR
