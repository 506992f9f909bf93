"""The control plane's use cases: record what checks and screens of sealed data found, and tell what is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.checks import history, screened
from ringfence.artifacts.checks.screened import Ground
from ringfence.artifacts.checks.statements import SCREENED, check_about, claims_of
from ringfence.artifacts.model import DatasetId, Sealed
from ringfence.artifacts.models.ports import Log
from ringfence.artifacts.service import Artifacts
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant

# Takes a filled form that somebody signed; forms are the obligations' affair, hence a wire.
Take = Callable[[Person, str, Envelope, Opening | None], Acknowledgement]


@dataclass(frozen=True, slots=True)
class DatasetChecks:
    """Record checks of datasets that are recorded."""

    artifacts: Artifacts

    def state(self, caller: Person, dataset: DatasetId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a check; the answer comes once it is published.

        Raises:
            MalformedInput: the claims are not as the predicate's page has them.
            Refused: they are about another epoch than the one that their subject names.
        """
        claims = claims_of(envelope.statement)
        if opening is None or opening.details.keys() != {"salt"}:
            raise MalformedInput("the details of dataset.checked are the salt of the report's digest")
        with self.artifacts.transaction():
            known = self.artifacts.epoch(caller.tenant, dataset, claims["epoch"])
            check_about(envelope.statement, known)
            acknowledgement = self.artifacts.recorder.admit(envelope, opening, by=caller)
        return self.artifacts.publication.published(acknowledgement.envelope)


@dataclass(frozen=True, slots=True)
class DatasetHistories:
    """Tell what the log says of each epoch of a dataset."""

    artifacts: Artifacts
    log: Log

    def of(self, tenant: Tenant, dataset: DatasetId) -> dict[str, Any]:
        """Return every epoch of a dataset, the newest first; raise `NotFound` where none is recorded."""
        epochs = [one for one in self.artifacts.epochs(tenant) if one.dataset == dataset]
        if not epochs:
            raise NotFound(f"no dataset {dataset} is recorded in this tenant")
        told = history.fold(self.log.statements(tenant, history.PREDICATES), [one.seal for one in epochs])
        shown = [history.to_json(one, told[one.seal]) for one in reversed(epochs)]
        return {"dataset": dataset, "name": epochs[-1].name, "epochs": shown}

    def ground(self, tenant: Tenant, epoch: Sealed) -> Ground:
        """Return what a screen of an epoch rests on beside the data: what used it, and who answers for its source."""
        told = history.fold(self.log.statements(tenant, history.PREDICATES), [epoch.seal])[epoch.seal]
        return Ground(told.order, told.untrusted)


@dataclass(frozen=True, slots=True)
class DatasetScreens:
    """Record screens for poison that an operator's machine made."""

    histories: DatasetHistories
    take: Take

    def state(self, caller: Person, dataset: DatasetId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a screen of the newest epoch; the answer comes once it is published.

        Raises:
            MalformedInput: it is not what the form of `dataset.poison_screen` takes, or another tool's.
            Refused: it is about another epoch, or says of training and sources what the log does not say.
        """
        known = self.histories.artifacts.one(caller.tenant, dataset)
        screened.check_about(envelope.statement, known, self.histories.ground(caller.tenant, known))
        return self.take(caller, SCREENED, envelope, opening)
