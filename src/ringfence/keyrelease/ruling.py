"""Take in what releases are decided by: rules that people sign, reference documents, site registers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, TooManyAttempts
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder, admit_new
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease import rules, sites
from ringfence.keyrelease.ports import Appraiser, Store

REFERENCE, REGISTER, REPLACED = "reference", "register", "register-old"  # kinds of documents
MOST_REGISTERS = 64  # providers of one tenant
MAX_REFERENCE = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Ruling:
    """Rules, and the documents that they name."""

    transaction: Callable[[], AbstractContextManager[None]]
    store: Store
    recorder: Recorder
    publication: Publication
    appraiser: Appraiser
    clock: Clock

    def allow(
        self, caller: Person, envelope: Envelope, opening: Opening | None, references: list[bytes]
    ) -> Acknowledgement:
        """Record a rule that a person signed, with the references that it names.

        Raises:
            MalformedInput: it is no rule, or a reference is not among those that it names.
            Refused: it repeats an earlier one.
        """
        rule = rules.read(envelope.statement)
        if opening is not None:
            raise MalformedInput("a rule has no side record")
        if {Digest.of(document) for document in references} - rule.references:
            raise MalformedInput("a reference was posted that the rule does not name")
        if any(len(document) > MAX_REFERENCE for document in references):
            raise MalformedInput(f"a reference has at most {MAX_REFERENCE} bytes")
        for document in references:
            self.appraiser.check(document)
        with self.transaction():
            for document in references:
                self.store.put_document(caller.tenant, REFERENCE, document, self.clock.now())
            for name in sorted(rule.references):
                if self.store.document(caller.tenant, REFERENCE, name) is None:
                    raise NotFound(
                        f"the rule names the reference {name}, and nobody has given it; post it with --reference"
                    )
            acknowledgement = admit_new(self.recorder, envelope, None, caller)
        return self.publication.published(acknowledgement.envelope)

    def register(self, caller: Person, document: bytes) -> sites.Register:
        """Keep a site register; the one before by its key is kept as evidence, and decides nothing more.

        Raises:
            VerificationFailed: its signature does not match.
            Conflict: another one by its key is known that was issued later, or at the same time.
            TooManyAttempts: registers of too many keys are known.
        """
        register = sites.verify(document)
        with self.transaction():
            found = self.registers(caller.tenant)
            before = [known for known in found if known.key == register.key and known.digest != register.digest]
            if any(known.issued_at >= register.issued_at for known in before):
                raise Conflict("a register by this key is known that is not older; an older one is not taken back")
            if register.key not in {known.key for known in found} and len(found) >= MOST_REGISTERS:
                raise TooManyAttempts(f"registers of {MOST_REGISTERS} providers are known in this tenant already")
            self.store.put_document(caller.tenant, REGISTER, document, self.clock.now())
            for known in before:
                self.store.relabel(caller.tenant, known.digest, REPLACED)
        return register

    def registers(self, tenant: Tenant) -> list[sites.Register]:
        """Return the newest register of each key."""
        found = [sites.verify(one) for one in self.store.documents(tenant, REGISTER)]
        newest: dict[str, sites.Register] = {}
        for register in sorted(found, key=lambda one: one.issued_at):
            newest[register.key] = register
        return list(newest.values())
