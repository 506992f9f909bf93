"""What the watch remembers of one tenant between two lines: the detector, and who comes in from where. Pure."""

import json
import logging
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.errors import RingfenceError
from ringfence.soc.model import Detecting, Event
from ringfence.soc.sources.gateway import KEY, USUAL

ADMINISTRATOR = timedelta(hours=24)  # how long an accepted certificate speaks for an address
MAX_ADMINISTRATORS = 1000
CALLER = timedelta(hours=24)  # how long a key that was used from an address counts as usual there
MAX_CALLERS = 5000
COARSE = timedelta(minutes=1)  # a caller's last time need not be exact, and so not be written at every request

_CERTIFICATE = re.compile(r" ssh2: \S+-CERT \S+ ID .* \(serial \d+\) CA \S+ \S+$", re.DOTALL)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recollection:
    """What is remembered of one tenant: the detector, and from where certificates and API keys were accepted."""

    detector: Detecting
    administrators: dict[str, datetime] = field(default_factory=dict)
    callers: dict[str, datetime] = field(default_factory=dict)  # "key address", and when it was last let in
    dirty: bool = False

    def text(self) -> str:
        """Print it."""
        document: dict[str, Any] = {"detector": self.detector.snapshot()}
        for name, seen in (("administrators", self.administrators), ("callers", self.callers)):
            document[name] = {who: to_millis(at) for who, at in seen.items()}
        return json.dumps(document)

    def read(self, text: str) -> None:
        """Read what was printed; what cannot be read is forgotten, and said so."""
        try:
            document: dict[str, Any] = json.loads(text)
            self.detector.restore(document["detector"])
            self.administrators = {str(k): from_millis(int(v)) for k, v in document["administrators"].items()}
            self.callers = {str(k): from_millis(int(v)) for k, v in document.get("callers", {}).items()}
        except (ValueError, KeyError, TypeError, RingfenceError) as error:
            _log.warning("the detector starts afresh: its state could not be read (%s)", error)

    def notice(self, event: Event) -> Event:
        """Remember from where somebody was let in, and return the event, marked where that was usual."""
        if event.source == "gateway":
            return self._called(event)
        self.dirty = True
        self._administrator(event)
        return event

    def _called(self, event: Event) -> Event:
        """A key that is used where it was used lately is no news, whatever anybody else tries from the same address."""
        usual = False
        if event.fields.get("metadata.event_code") == "accepted":
            caller = f"{event.fields[KEY]} {event.fields['src_endpoint.uid']}"
            last = self.callers.get(caller)
            usual = last is not None and event.at - last < CALLER
            if last is None or event.at - last > COARSE:
                self.dirty = True
                self.callers.pop(caller, None)
                self.callers[caller] = event.at
                while len(self.callers) > MAX_CALLERS:
                    del self.callers[next(iter(self.callers))]
        if not usual or "unmapped.guarded" in event.fields:
            self.dirty = True
        return event._replace(fields={**event.fields, USUAL: "yes"}) if usual else event

    def _administrator(self, event: Event) -> None:
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
