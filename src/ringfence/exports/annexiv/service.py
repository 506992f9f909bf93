"""Use case: make the technical documentation of a system, and record that this very document left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from ringfence.exports.annexiv import declaration, document
from ringfence.exports.annexiv.document import CLASSIFIED, ENTITY, PROVISION, Basis
from ringfence.exports.annexiv.points import predicates
from ringfence.exports.model import Json
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, from_text, to_text
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, UsageError, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Statements
from ringfence.obligations.records import Records

EXPORTED = PredicateName("techdoc.exported")
SOURCE = "declaration"


@dataclass(frozen=True, slots=True)
class TechnicalDocumentation:
    """Read the log and what people declared; state only that a document of this digest was made."""

    catalog: Catalog
    evidence: Statements
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    log: LogOrigin
    clock: Clock
    is_demo: Callable[[Tenant], bool]

    def draw(self, tenant: Tenant, declared: str, at: datetime | None = None) -> Json:
        """Return the document.

        Raises:
            VerificationFailed: a placeholder is left, or a sentence is older than the record that it concludes from.
            NotFound: no signed scope classifies the system.
            Refused: the organisation is not its provider, or the window of evidence is still open.
        """
        now = self.clock.now()
        if at is not None and at > now:
            raise UsageError(f"it is {to_text(now)}; a document as of {to_text(at)} cannot be made yet")
        read = declaration.parse(declared.encode(), source=SOURCE)
        basis = self._basis(tenant, from_text(to_text(at or now)))
        if found := document.problems(read, basis):
            first = f"line {found[0].line}: {found[0].field}: {found[0].message}"
            raise VerificationFailed(first + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))
        return document.document(read, basis)

    def record(self, person: Person, envelope: Envelope, declared: str) -> Acknowledgement:
        """Record the signed statement that a document left, once the same document is made again.

        Raises:
            Conflict: what was signed is no longer what would be made.
        """
        statement = envelope.statement
        if statement.predicate != EXPORTED:
            raise MalformedInput(f"this is where {EXPORTED} is stated, not {statement.predicate}")
        wanted = draft(self.draw(person.tenant, declared, from_text(statement.claims.get("asOf"))))
        if (statement.claims, statement.subjects) != (wanted.claims, wanted.subjects):
            raise Conflict("the evidence changed since this was signed; make the document again")
        with self.publishable():
            done = self.recorder.admit(envelope, None, by=person)
        return self.publication.published(done.envelope)

    def _basis(self, tenant: Tenant, at: datetime) -> Basis:
        every = self.evidence.statements(tenant, at=at)
        wanted = {*predicates(), CLASSIFIED, ENTITY}
        telling = [logged for logged in every if logged.envelope.statement.predicate in wanted]
        provision = self.catalog.obligations.get(PROVISION)
        if provision is None:
            raise InternalError(f"the catalogue has no {PROVISION}")
        records = Records.of(tenant, telling, demo=self.is_demo(tenant))
        return Basis(tenant, self.log, records, {logged.entry: logged for logged in every}, provision, at)


def written(made: Json) -> bytes:
    """Return the bytes that are signed: canonical JSON."""
    return dumps(made)


def draft(made: Json) -> Draft:
    """Return what the person signs who takes the document out."""
    digest, counts = Digest.of(written(made)), made["counts"]
    return Draft(
        predicate=EXPORTED,
        subjects=(Subject(f"techdoc/{digest.hex[:12]}", digest),),
        claims={
            "system": made["system"]["id"],
            "asOf": made["made_at"],
            "form": made["extent"]["form"],
            "records": counts["records"],
            "sentences": counts["sentences"],
            "declared": counts["declared"],
            "testReports": counts["test_reports"],
            "missing": list(made["missing"]),
        }
        | ({"evidenceUntil": made["evidence_until"]} if made["evidence_until"] else {}),
        strength=Strength.OBSERVED,
    )
