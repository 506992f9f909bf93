"""Record what another system says of a run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.workloads.mlflow import statements


@dataclass(frozen=True, slots=True)
class ForeignRuns:
    """Record runs that another system saw; whether what they name is known here, lineage says."""

    transaction: Callable[[], AbstractContextManager[None]]
    recorder: Recorder
    publication: Publication

    def record(self, caller: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record one; the same one posted twice is recorded once.

        Raises:
            MalformedInput: it, or its side record, is not as its predicate's page has it.
        """
        statements.claims_of(envelope.statement)
        if opening is None:
            raise MalformedInput(f"{statements.IMPORTED} is posted with its details: what its commitment stands for")
        statements.check_details(envelope.statement, opening.details)
        with self.transaction():
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)
