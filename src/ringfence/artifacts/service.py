"""The control plane's use cases: gather, decide, commit; a key use waits until it is published."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ringfence.artifacts import statements
from ringfence.artifacts.model import DatasetId, DatasetName, Sealed
from ringfence.artifacts.ports import Datasets
from ringfence.artifacts.registration import register
from ringfence.artifacts.waiting import Waiting
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Record what operators state about sealed datasets."""

    transaction: Callable[[], AbstractContextManager[None]]
    datasets: Datasets
    recorder: Recorder
    publication: Publication
    waiting: Waiting = field(default_factory=Waiting)

    def all(self, tenant: Tenant) -> list[Sealed]:
        """Return the newest epoch of every dataset."""
        return self.datasets.all(tenant)

    def one(self, tenant: Tenant, dataset: DatasetId) -> Sealed:
        """Return the newest epoch of a dataset; raise `NotFound` where none is recorded."""
        known = self.datasets.by_id(tenant, dataset)
        if known is None:
            raise NotFound(f"no dataset {dataset} is recorded in this tenant")
        return known

    def seal(
        self, caller: Person, name: DatasetName, envelope: Envelope, opening: Opening | None
    ) -> tuple[Sealed, Acknowledgement]:
        """Record a new epoch; posting the same seal twice records it once."""
        sealed = statements.read_sealed(envelope.statement, name)
        if opening is None or opening.details != {"name": name}:
            raise MalformedInput("the details of dataset.sealed are the dataset's name, as it is posted")
        with self.transaction():
            decision = register(
                sealed,
                named=self.datasets.by_name(caller.tenant, name),
                known=self.datasets.by_id(caller.tenant, sealed.dataset),
            )
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
            if not decision.repeated:
                self.datasets.put(caller.tenant, decision.sealed, envelope.digest)
        return sealed, self.publication.published(acknowledgement.envelope)

    def take(self, caller: Person, name: DatasetName, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record the signed seal of what this process has sealed; raise `Conflict` where those bytes are gone."""
        with self.waiting.answering(caller.tenant, envelope) as done:
            done.append(envelope)
            return self.seal(caller, name, envelope, opening)[1]

    def state(
        self, caller: Person, dataset: DatasetId, kind: PredicateName, envelope: Envelope, opening: Opening | None
    ) -> Acknowledgement:
        """Record provenance, or the outcome of a verification, of the newest epoch."""
        with self.transaction():
            known = self.one(caller.tenant, dataset)
            statements.check_about(envelope.statement, kind, known)
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)

    def open(self, caller: Person, dataset: DatasetId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a key use; the answer means that it is published, and without it nobody may unwrap the key."""
        return self.state(caller, dataset, statements.OPENED, envelope, opening)

    def rewrapped(self, caller: Person, envelope: Envelope) -> Acknowledgement:
        """Record that the key-encryption key of this home was replaced."""
        statements.claims_of(envelope.statement, statements.REWRAPPED)
        with self.transaction():
            acknowledgement = self.recorder.admit(envelope, None, by=caller)
        return self.publication.published(acknowledgement.envelope)
