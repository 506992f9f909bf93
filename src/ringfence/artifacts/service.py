"""The control plane's use cases: gather, decide, commit; a key use waits until it is published."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from ringfence.artifacts import auditing, statements
from ringfence.artifacts.model import DatasetId, DatasetName, Sealed, epoch_number
from ringfence.artifacts.ports import Datasets, Holds, NoHolds, NothingSaid, Said
from ringfence.artifacts.registration import register
from ringfence.artifacts.waiting import Waiting
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
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
    holds: Holds = field(default_factory=NoHolds)
    said: Said = field(default_factory=NothingSaid)

    def all(self, tenant: Tenant) -> list[Sealed]:
        """Return the newest epoch of every dataset."""
        return [self._looked_up(tenant, one) for one in self.datasets.all(tenant)]

    def epochs(self, tenant: Tenant) -> list[Sealed]:
        """Return every epoch of every dataset."""
        return [self._looked_up(tenant, one) for one in self.datasets.epochs(tenant)]

    def _looked_up(self, tenant: Tenant, known: Sealed) -> Sealed:
        """Say of an erasure that is not done yet whether a hold came in between."""
        if known.erasure is None or known.erasure.done:
            return known
        try:
            self.holds.check(tenant, known, self.datasets.envelope(tenant, known))
        except Refused:
            return replace(known, erasure=replace(known.erasure, held=True))
        return known

    def epoch(self, tenant: Tenant, dataset: DatasetId, number: object) -> Sealed:
        """Return one epoch of a dataset; raise `NotFound` where none is recorded."""
        self.one(tenant, dataset)
        known = self.datasets.epoch(tenant, dataset, epoch_number(number))
        if known is None:
            raise NotFound(f"no epoch {number} of dataset {dataset} is recorded in this tenant")
        return known

    def stated(self, tenant: Tenant, dataset: DatasetId) -> list[Envelope]:
        """Return what whoever stores a dataset needs to check it: its seals, its erasures, and their signers' keys."""
        self.one(tenant, dataset)
        about = [
            envelope
            for envelope in self.said.of(tenant, (statements.SEALED, statements.ERASURE_REQUESTED, statements.ERASED))
            if envelope.statement.claims.get("dataset") == dataset
        ]
        return [*auditing.signers(self.said.of(tenant, (auditing.ENROLLED, auditing.REVOKED)), about), *about]

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
        """Record provenance, or the outcome of a verification, of an epoch."""
        with self.transaction():
            known = self._named(caller, dataset, envelope)
            statements.check_about(envelope.statement, kind, known)
            if kind == statements.OPENED:
                known.check_kept()
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)

    def open(self, caller: Person, dataset: DatasetId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a key use; the answer means that it is published, and without it nobody may unwrap the key."""
        return self.state(caller, dataset, statements.OPENED, envelope, opening)

    def _named(self, caller: Person, dataset: DatasetId, envelope: Envelope) -> Sealed:
        return self.epoch(caller.tenant, dataset, envelope.statement.claims.get("epoch"))

    def erase(self, caller: Person, dataset: DatasetId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record that the key of an epoch is going to be destroyed; the answer means that it is published.

        From then on nobody opens it. Asked again, return what was recorded first.

        Raises:
            Refused: a legal hold covers it.
        """
        with self.transaction():
            known = self._named(caller, dataset, envelope)
            statements.check_about(envelope.statement, statements.ERASURE_REQUESTED, known)
            if opening is None or opening.details.keys() != {"because"}:
                raise MalformedInput("the details of an erasure say why, and nothing else")
            self.holds.check(caller.tenant, known, self.datasets.envelope(caller.tenant, known))
            if known.erasure is not None:
                asked = known.erasure.requested
            else:
                asked = self.recorder.admit(envelope, opening, by=caller).envelope
                self.datasets.erase(caller.tenant, known, asked)
        return self.publication.published(asked)

    def erased(self, caller: Person, dataset: DatasetId, envelope: Envelope) -> Acknowledgement:
        """Record which wrappings were destroyed; what was never asked for is refused."""
        with self.transaction():
            known = self._named(caller, dataset, envelope)
            statements.check_about(envelope.statement, statements.ERASED, known)
            if known.erasure is None or str(known.erasure.requested) != envelope.statement.claims["requested"]:
                raise Refused("nobody asked for this erasure: it is stated before anything is destroyed")
            done = self.recorder.admit(envelope, None, by=caller)
            self.datasets.erased(caller.tenant, known, done.envelope)
        return self.publication.published(done.envelope)

    def rewrapped(self, caller: Person, envelope: Envelope) -> Acknowledgement:
        """Record that the key-encryption key of this home was replaced."""
        statements.claims_of(envelope.statement, statements.REWRAPPED)
        with self.transaction():
            acknowledgement = self.recorder.admit(envelope, None, by=caller)
        return self.publication.published(acknowledgement.envelope)
