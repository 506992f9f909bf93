"""The control plane's use cases: record what operators state about models, and say what was recorded."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.models import catalogue, materials, oms, statements
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

# Raises `Refused` where a model or one of its files may not be signed; None: the caller does not name the files.
Signable = Callable[[Tenant, Digest, Mapping[str, Digest] | None], None]


@dataclass(frozen=True, slots=True)
class Models:
    """Models as the log has them: no table beside it could disagree."""

    transaction: Callable[[], AbstractContextManager[None]]
    log: Log
    recorder: Recorder
    publication: Publication
    in_force: Callable[[Tenant, KeyId], bool]  # whether a key of ours may state anything now
    check_signable: Signable = lambda _tenant, _digest, _files: None

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
        self,
        caller: Person,
        kind: PredicateName,
        envelope: Envelope,
        opening: Opening | None,
        *,
        files: Mapping[str, str] | None = None,
    ) -> Acknowledgement:
        """Record a signature or a scan; the answer comes once it is published.

        Args:
            caller: whose key signed the statement.
            kind: what it has to be.
            envelope: the statement.
            opening: its details.
            files: of a signature, the digest of each file by its name, in hexadecimal; compared, and not kept.

        Raises:
            MalformedInput: the statement is not as its predicate's page has it, or the files are not those it signs.
            Conflict: the name belongs to another model.
            Refused: the bytes came from outside, and nobody let them in; they can be scanned and nothing else.
        """
        claims = statements.claims_of(envelope.statement, kind)
        if kind != statements.SCAN:
            digest = envelope.statement.subjects[0].digest
            named = {} if kind == statements.IMPORTED else _named(files, digest)  # what is imported was signed before
            self.check_signable(caller.tenant, digest, named)
        if opening is None:
            raise MalformedInput(f"the details of {kind} hold at least the model's name")
        name = model_name(opening.details.get("name"))
        with self.transaction():
            catalogue.check_name(self.names(caller.tenant), name, claims["model"])
            acknowledgement = self.recorder.admit(envelope, opening, by=caller)
        return self.publication.published(acknowledgement.envelope)


def _named(files: Mapping[str, str] | None, digest: Digest) -> Mapping[str, Digest] | None:
    """Return the digests of files by name if the model that is signed is made of exactly these."""
    if files is None:
        return None
    found = {name: Digest.parse(f"sha256:{value}") for name, value in files.items()}
    if oms.manifest_of("", found).digest != digest:
        raise MalformedInput("the files that are named are not those that are signed")
    return found
