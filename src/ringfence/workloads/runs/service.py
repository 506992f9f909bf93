"""Record a run that an operator states: every digest that it names must lead to something that is recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.artifacts.ports import Datasets
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.runs import stated
from ringfence.workloads.runs.stated import StatedInput


@dataclass(frozen=True, slots=True)
class Runs:
    """Record runs."""

    transaction: Callable[[], AbstractContextManager[None]]
    datasets: Datasets
    recorder: Recorder
    publication: Publication

    def record(self, caller: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a run; the same one posted twice is recorded once."""
        inputs = stated.read(envelope.statement)
        if opening is None:
            raise MalformedInput("run.manifest is posted with its details: what its commitments stand for")
        stated.check_details(envelope.statement, opening.details)
        with self.transaction():
            for given in inputs:
                self._check(caller.tenant, given)
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)

    def _check(self, tenant: Tenant, given: StatedInput) -> None:
        known = self.datasets.by_id(tenant, given.dataset)
        if known is None or given.epoch > known.epoch:
            raise Refused(f"no epoch {given.epoch} of dataset {given.dataset} is recorded in this tenant")
        if given.epoch == known.epoch and given.seal != known.seal:
            raise Refused(f"epoch {given.epoch} of dataset {given.dataset} has another seal")
        if given.epoch == known.epoch and given.ciphertext_root != known.ciphertext_root:
            raise Refused(f"epoch {given.epoch} of dataset {given.dataset} has another root")
