"""The control plane's use case: record what a check of a sealed dataset found."""

from dataclasses import dataclass

from ringfence.artifacts.checks.statements import check_about, claims_of
from ringfence.artifacts.model import DatasetId
from ringfence.artifacts.service import Artifacts
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.evidence import Acknowledgement


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
