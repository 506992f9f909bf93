"""The control plane's use cases: record what operators state about models, and say what was recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.models import catalogue, materials, statements
from ringfence.artifacts.models.keys import PublicKey
from ringfence.artifacts.models.model import ModelId, Recorded, model_name
from ringfence.artifacts.models.ports import Log
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant


@dataclass(frozen=True, slots=True)
class Models:
    """Models as the log has them: no table beside it could disagree."""

    transaction: Callable[[], AbstractContextManager[None]]
    log: Log
    recorder: Recorder
    publication: Publication
    in_force: Callable[[Tenant, KeyId], bool]  # whether a key of ours may state anything now
    check_signable: Callable[[Tenant, Digest], None] = lambda _tenant, _digest: None  # raises `Refused`

    def all(self, tenant: Tenant) -> list[Recorded]:
        """Return the newest signed version of every model."""
        return catalogue.fold(self.log.statements(tenant, catalogue.PREDICATES))

    def names(self, tenant: Tenant) -> dict[str, ModelId]:
        """Return the id of every name."""
        return catalogue.names(self.log.statements(tenant, catalogue.PREDICATES))

    def materials(self, tenant: Tenant, name: str) -> dict[str, Any]:
        """Return what the log knows of how the newest version under a name was made; raise `NotFound`."""
        return materials.gather(self.log.statements(tenant, materials.PREDICATES), name)

    def trusted(self, tenant: Tenant) -> list[PublicKey]:
        """Return the keys whose signatures count: those of operators whose own key is in force."""
        signed = self.log.statements(tenant, (statements.SIGNED,))
        return catalogue.trusted_keys(signed, lambda key: self.in_force(tenant, key))

    def state(
        self, caller: Person, kind: PredicateName, envelope: Envelope, opening: Opening | None
    ) -> Acknowledgement:
        """Record a signature or a scan; the answer comes once it is published.

        Raises:
            MalformedInput: the statement is not as its predicate's page has it.
            Conflict: the name belongs to another model.
            Refused: the bytes came from outside, and nobody let them in; they can be scanned and nothing else.
        """
        claims = statements.claims_of(envelope.statement, kind)
        if kind != statements.SCAN:
            self.check_signable(caller.tenant, envelope.statement.subjects[0].digest)
        if opening is None:
            raise MalformedInput(f"the details of {kind} hold at least the model's name")
        name = model_name(opening.details.get("name"))
        with self.transaction():
            catalogue.check_name(self.names(caller.tenant), name, claims["model"])
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)
