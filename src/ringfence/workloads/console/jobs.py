"""Work that outlasts the request that began it: one at a time under each name, remembered while this process lives.

Nothing rests on what is remembered here: what was done is in the log, and whoever reads a page after a restart sees it
there.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Conflict, RingfenceError
from ringfence.kernel.identifier import Tenant

REMEMBERED = 256  # jobs; the oldest that has ended goes first
PATIENCE = 8.0  # seconds that an answer waits for what usually takes less
BROKE = "something in Ringfence itself failed; its log has the details"

Work = Callable[["Job"], Any]
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work, and what came of it."""

    name: str
    began: datetime
    steps: list[str] = field(default_factory=list)  # what it says while it runs
    ended: datetime | None = None
    result: Any = None
    because: str = ""  # why it came to nothing
    page: str = ""  # where it goes on with the person who began it
    moved: threading.Event = field(default_factory=threading.Event)

    def say(self, step: str) -> None:
        """Say what is done now."""
        self.steps.append(step)

    def lead(self, page: str) -> None:
        """Say where it goes on."""
        self.page = page
        self.moved.set()

    @property
    def runs(self) -> bool:
        """Tell whether it still runs."""
        return self.ended is None

    def within(self, seconds: float) -> "Job":
        """Return it once it has ended or leads somewhere, or after some seconds."""
        self.moved.wait(seconds)
        return self


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work of one process, by tenant and name."""

    clock: Clock
    _known: dict[tuple[Tenant, str], Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, tenant: Tenant, name: str, work: Work) -> Job:
        """Begin `work` in a thread that ends with the process; raise `Conflict` where it runs already."""
        with self._lock:
            known = self._known.get((tenant, name))
            if known is not None and known.runs:
                raise Conflict(f"{name} runs already, since {known.began:%H:%M:%S} UTC; wait for what comes of it")
            self._known.pop((tenant, name), None)
            self._make_room()
            job = self._known[tenant, name] = Job(name, self.clock.now())
        threading.Thread(target=self._run, args=(job, work), name=name, daemon=True).start()
        return job

    def find(self, tenant: Tenant, name: str) -> Job | None:
        """Return the newest work of a name."""
        return self._known.get((tenant, name))

    def _run(self, job: Job, work: Work) -> None:
        try:
            job.result = work(job)
        except RingfenceError as error:
            job.because = str(error)
        except Exception:  # noqa: BLE001 - the page says that it broke off, the log says how
            _log.exception("the work %s broke off", job.name)
            job.because = BROKE
        finally:
            job.ended = self.clock.now()
            job.moved.set()

    def _make_room(self) -> None:
        ended = [key for key, job in self._known.items() if not job.runs]
        for key in ended[: max(0, len(self._known) - REMEMBERED + 1)]:
            del self._known[key]
