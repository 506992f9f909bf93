"""Record what operators state about their runs, and list it: the log is the only place where runs are kept."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.evidence import Acknowledgement, Log, Logged, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.redteam import statements

MAX_NAME = 2048
SHOWN = 200  # runs that a list shows, the newest


@dataclass(frozen=True, slots=True)
class RedTeam:
    """The control plane's view of runs."""

    transaction: Callable[[], AbstractContextManager[None]]
    log: Log
    recorder: Recorder
    publication: Publication

    def state(self, caller: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a run; posting the same run twice records it once."""
        statements.check(envelope.statement)
        details = opening.details if opening else {}
        if details.keys() != {"endpoint", "model"} or not all(map(_is_name, details.values())):
            raise MalformedInput("the details of redteam.run are the endpoint's address and the model's name")
        with self.transaction():
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)

    def runs(self, tenant: Tenant) -> list[Logged]:
        """Return the runs that were stated, newest first."""
        return list(reversed(self.log.statements(tenant, (statements.RUN,))))[:SHOWN]


def _is_name(text: object) -> bool:
    """Tell whether a text can stand on a page: short, and nothing in it that a terminal would obey."""
    return isinstance(text, str) and len(text) <= MAX_NAME and text.isprintable()
