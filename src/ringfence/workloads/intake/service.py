"""Record what people bring in from outside, and what they decide about it: the log is the only place that knows."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.artifacts.models import catalogue
from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import Verdict, model_name
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder, admit_new
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.service import Ledger
from ringfence.workloads import maturity
from ringfence.workloads.gatefile import Files, IntakeRules
from ringfence.workloads.intake import register, statements
from ringfence.workloads.intake.model import Intake, State


@dataclass(frozen=True, slots=True)
class Intakes:
    """The use cases of models from outside."""

    log: Ledger
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    files: Files

    def all(self, tenant: Tenant) -> list[Intake]:
        """Return every intake, the newest first."""
        return register.fold(self.log.statements(tenant, register.PREDICATES))

    def one(self, tenant: Tenant, intake: str) -> Intake:
        """Return an intake by its id; raise `NotFound`."""
        found = next((one for one in self.all(tenant) if one.id == intake), None)
        if found is None:
            raise NotFound("no model was brought in from outside under this id; see `ringfence model waiting`")
        return found

    def newest(self, tenant: Tenant, name: str) -> Intake:
        """Return the newest intake under a name; raise `NotFound`."""
        found = next((one for one in self.all(tenant) if one.name == name), None)
        if found is None:
            raise NotFound(f"no model {name[:64]} was brought in from outside; see `ringfence model waiting`")
        return found

    def check_let_in(self, tenant: Tenant, digests: Sequence[Digest]) -> None:
        """Raise `Refused` where one of these bytes came from outside and nobody let them in."""
        if because := register.held_back(self.all(tenant), digests):
            raise Refused(because)

    def check_signable(self, tenant: Tenant, digest: Digest, files: Mapping[str, Digest] | None) -> None:
        """Raise `Refused` where a model, or a file of it that holds more than words, was not let in from outside."""
        if because := register.not_signable(self.all(tenant), digest, files):
            raise Refused(because)

    def bring(self, caller: Person, envelope: Envelope, opening: Opening | None) -> tuple[str, Acknowledgement]:
        """Record what lies in quarantine; return the intake's id.

        Raises:
            MalformedInput: the statement is not as its predicate's page has it, or nobody scanned these files.
            Refused: the tenant's file was another one when it was brought in.
        """
        claims = statements.claims_of(envelope.statement, statements.QUARANTINED)
        if opening is None:
            raise MalformedInput("the details of an intake are the model's name, its owner, and where it comes from")
        name, *_ = statements.text_of(opening.details, "name", "owner", "from")
        digest = envelope.statement.subjects[0].digest
        rules = self.files(caller.tenant)
        if claims["policy"] != str(rules.digest):
            raise Refused("the tenant's gate file has changed meanwhile; bring the model in again")
        logged = self.log.statements(caller.tenant, catalogue.PREDICATES)
        if not any(_is_scan(one.envelope, claims["model"], digest) for one in logged):
            raise MalformedInput("no scan of these files is recorded; the scan comes first")
        with self.publishable():
            catalogue.check_name(catalogue.names(logged), model_name(name), claims["model"])
            done = self.recorder.admit(envelope, opening, by=caller)
        return done.envelope.hex, self.publication.published(done.envelope)

    def draft(self, caller: Person, intake: str, decision: str, reason: str) -> Draft:
        """Return what a person signs to decide; raise where that decision could not be taken."""
        found = self.one(caller.tenant, intake)
        self._check(caller, found, decision)
        statements.text_of({"reason": reason}, "reason")
        return statements.decided(found, decision, reason, self.files(caller.tenant).digest)

    def decide(
        self, caller: Person, intake: str, envelope: Envelope, opening: Opening | None
    ) -> tuple[Intake, Acknowledgement]:
        """Take a person's signed decision.

        Raises:
            Refused: the tenant's file does not let it in, or the same person brought it in, or one of the two may be
                nobody: a credential that the log has known for less than a day.
            Conflict: it was decided about already, in the same way.
        """
        claims = statements.claims_of(envelope.statement, statements.DECIDED)
        found = self.one(caller.tenant, intake)
        about = (claims["intake"], claims["model"], envelope.statement.subjects[0].digest)
        if about != (f"sha256:{found.id}", found.model, found.digest):
            raise Refused("what was signed is about another model")
        statements.text_of(opening.details if opening else {}, "name", "reason")
        if claims["policy"] != str(self.files(caller.tenant).digest):
            raise Refused("the tenant's gate file has changed since this was shown; look at it again")
        self._check(caller, found, claims["decision"])
        self._check_mature(caller.tenant, found, claims["decision"], envelope)
        with self.publishable():
            done = admit_new(self.recorder, envelope, opening, caller)
        published = self.publication.published(done.envelope)
        return self.one(caller.tenant, intake), published

    def _check(self, caller: Person, found: Intake, decision: str) -> None:
        if decision not in statements.DECISIONS:
            raise MalformedInput(f"a decision is one of {', '.join(statements.DECISIONS)}")
        if found.state is statements.DECISIONS[decision]:
            raise Conflict(f"{found.name or 'this model'} is {found.state.value} already")
        rules = self.files(caller.tenant).intake
        if rules.apart and found.by in {None, caller.id}:
            raise Refused("whoever brings a model in does not decide about it; another person does")
        if statements.DECISIONS[decision] is State.ACCEPTED and (because := why_not(found, rules)):
            raise Refused(because)

    def _check_mature(self, tenant: Tenant, found: Intake, decision: str, envelope: Envelope) -> None:
        """Raise `Refused` where one of the two could have been made up just now; to refuse is always possible."""
        if not self.files(tenant).intake.apart or statements.DECISIONS[decision] is not State.ACCEPTED:
            return
        issuers, now = self.log.issuers(tenant), envelope.statement.issuance.issued_at
        halves = ((found.signer, found.at), (envelope.signer, now))
        if not all(key is not None and maturity.counts(issuers, key, at) for key, at in halves):
            raise Refused(
                "a credential that is younger than 24 hours makes no second person where two people have older ones; "
                "let somebody with an older one bring it in, or decide"
            )


def why_not(found: Intake, rules: IntakeRules) -> str:
    """Say why a model cannot be accepted, whoever decides; empty where it can."""
    if found.scan is None:
        return "nobody scanned these files"
    if found.scan is Verdict.REFUSED or (found.scan is Verdict.UNKNOWN and not rules.accept_unknown):
        return f"the scan says {found.scan.value}; this tenant's file does not let that in"
    return rules.problem_with(found.told.licence, found.told.country)


def _is_scan(envelope: Envelope, model: str, digest: Digest) -> bool:
    said = envelope.statement
    return (
        said.predicate == models.SCAN
        and said.claims.get("model") == model
        and [subject.digest for subject in said.subjects] == [digest]
    )
