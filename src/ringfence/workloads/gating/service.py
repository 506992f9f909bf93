"""Judge models, take approvals, put the gate in force, and say before a model is served whether it may be."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from ringfence.artifacts.models import catalogue
from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import Recorded
from ringfence.gateway.model import DeploymentName
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, RingfenceError
from ringfence.kernel.evidence import TRUSTED, Acknowledgement, Publication, Recorder, admit_new
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import Draft, KeyRole
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.service import Ledger
from ringfence.lineage.ports import Closures
from ringfence.workloads import maturity
from ringfence.workloads.gatefile import Files
from ringfence.workloads.gating import conditions, serving, statements
from ringfence.workloads.gating.conditions import Evidence
from ringfence.workloads.gating.model import About, InForce, Judgement, Mode, Outcome, Stated
from ringfence.workloads.gating.serving import Question
from ringfence.workloads.intake import register
from ringfence.workloads.intake.service import Intakes
from ringfence.workloads.intake.statements import text_of

REPEATED = timedelta(minutes=1)  # within which the same refusal is recorded once: asking in a loop fills no log


@dataclass(frozen=True, slots=True)
class Gates:
    """The use cases of the gate."""

    log: Ledger
    lineages: Closures
    intakes: Intakes
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    files: Files
    clock: Clock
    in_force: Callable[[Tenant, KeyId], bool]

    # Judging

    def about(self, tenant: Tenant, text: str) -> About:
        """Return the version of a model that a person means: its newest signed one by name, or any by digest.

        Raises:
            NotFound: nobody stated anything of it.
        """
        logged = self.log.statements(tenant, catalogue.PREDICATES)
        if text.startswith("sha256:"):
            return self._by_digest(logged, Digest.parse(text))
        found: Recorded | None = next((one for one in catalogue.fold(logged) if one.name == text), None)
        if found is None:
            raise NotFound(f"no signed model is called {text[:64]}; name it by sha256:… where it is not signed yet")
        return About(found.digest, found.model, found.name)

    def _by_digest(self, logged: Sequence[LoggedStatement], digest: Digest) -> About:
        for one in reversed(logged):
            said = one.envelope.statement
            if one.standing == TRUSTED and said.subjects[0].digest == digest:
                name = str(one.opening.details.get("name", "")) if one.opening else ""
                return About(digest, said.claims["model"], name)
        raise NotFound(f"no model with the digest {digest} was signed or scanned in this tenant")

    def judge(self, tenant: Tenant, about: About) -> Judgement:
        """Compute the conditions now."""
        file, now, issuers = self.files(tenant), self.clock.now(), self.log.issuers(tenant)
        evidence = Evidence(
            digest=about.digest,
            logged=self.log.statements(tenant, conditions.PREDICATES),
            closure=self.lineages.closure(tenant, about.digest),
            intakes=self.intakes.all(tenant),
            in_force=lambda key: self.in_force(tenant, key),
            mature=lambda key, at: maturity.counts(issuers, key, at),
            at=now,
        )
        return Judgement(about, conditions.judge(evidence, file.gate), file.digest, now)

    def state(self, caller: Person, text: str) -> tuple[Judgement, Acknowledgement]:
        """Compute the conditions, and state the verdict; the answer comes once it is published."""
        about = self.about(caller.tenant, text)
        found = self.judge(caller.tenant, about)
        if about.model is None:
            raise NotFound("nobody stated which model these bytes are")
        with self.publishable():
            done = self.recorder.record(statements.gated(found, about.model), tenant=caller.tenant)
        return found, self.publication.published(done.envelope)

    def verdict(self, tenant: Tenant, digest: Digest) -> Stated | None:
        """Return the newest verdict on these bytes that the control plane stated."""
        found = None
        for one in self.log.statements(tenant, (statements.GATED,)):
            if one.envelope.statement.subjects[0].digest == digest and (read := _stated(one)):
                found = read
        return found

    def signed(self, tenant: Tenant) -> list[Recorded]:
        """Return the newest signed version of every model."""
        return catalogue.fold(self.log.statements(tenant, catalogue.PREDICATES))

    # Approving

    def approval(self, caller: Person, text: str, decision: str, reason: str) -> Draft:
        """Return what a person signs to approve, or to take that back."""
        about = self.about(caller.tenant, text)
        if about.model is None:
            raise NotFound("nobody stated which model these bytes are")
        text_of({"reason": reason}, "reason")
        self._check_apart(caller, about.digest, decision)
        return statements.approved(about.model, about.digest, decision, reason)

    def approve(self, caller: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take a person's signed approval of these very bytes.

        Raises:
            Refused: the same person signed the model, or it came from outside and was not let in.
        """
        claims = statements.claims_of(envelope.statement, statements.APPROVED)
        digest = envelope.statement.subjects[0].digest
        text_of(opening.details if opening else {}, "reason")
        if self.about(caller.tenant, str(digest)).model != claims["model"]:
            raise MalformedInput("the model that the claims name has other bytes")
        self._check_apart(caller, digest, claims["decision"])
        with self.publishable():
            done = admit_new(self.recorder, envelope, opening, caller)
        return self.publication.published(done.envelope)

    def _check_apart(self, caller: Person, digest: Digest, decision: str) -> None:
        if decision not in {statements.APPROVE, statements.WITHDRAW}:
            raise MalformedInput(f"a decision is {statements.APPROVE} or {statements.WITHDRAW}")
        if decision == statements.WITHDRAW:
            return  # to take an approval back is always possible
        self.intakes.check_let_in(caller.tenant, [digest])
        for one in self.log.statements(caller.tenant, (models.SIGNED,)):
            about = one.envelope.statement.subjects[0].digest
            if about == digest and one.issuer and one.issuer.person == caller.id:
                raise Refused("whoever signed a model does not approve it; another person does")

    # In force

    def mode(self, tenant: Tenant) -> InForce:
        """Return what people have put in force: the newest statement that counts decides."""
        found = InForce()
        for one in self.log.statements(tenant, (statements.MODE,)):
            if one.standing != TRUSTED or one.issuer is None or one.issuer.role is not KeyRole.OPERATOR:
                continue
            try:
                claims = statements.claims_of(one.envelope.statement, statements.MODE)
            except RingfenceError:
                continue
            found = InForce(Mode(claims["mode"]), Digest.parse(claims["policy"]), one.entry, one.issuer.person)
        return found

    def setting(self, tenant: Tenant, mode: Mode) -> Draft:
        """Return what a person signs to put the gate in force; raise `Conflict` where nothing would change."""
        now, file = self.mode(tenant), self.files(tenant)
        if (now.mode, now.policy) == (mode, file.digest):
            raise Conflict(f"the gate is set to {mode} over this very file already")
        return statements.mode_set(mode, now.mode, file.digest)

    def set_mode(self, caller: Person, envelope: Envelope) -> Acknowledgement:
        """Take a person's signature over a mode and the file as it is now.

        Raises:
            Conflict: the file or the mode changed since it was shown.
        """
        claims = statements.claims_of(envelope.statement, statements.MODE)
        wanted = self.setting(caller.tenant, Mode(claims["mode"]))
        if dict(wanted.claims) != dict(claims):
            raise Conflict("the file, or the mode, is another one by now; look at it again")
        with self.publishable():
            done = admit_new(self.recorder, envelope, None, caller)
        return self.publication.published(done.envelope)

    # Serving

    def question(self, caller: Person, name: DeploymentName, model: Digest, weights: Digest) -> Question:
        """Gather what is known of bytes that somebody wants to serve."""
        file, tenant = self.files(caller.tenant), caller.tenant
        held = register.held_back(self.intakes.all(tenant), (model, weights))
        in_force = self.mode(tenant)
        now = None if in_force.mode is Mode.OBSERVE else self.judge(tenant, About(model, None, name))
        return Question(
            person=caller.id,
            asked=model,
            loading=model,
            held_back=bool(held),
            staging=name.startswith(file.gate.staging),
            in_force=in_force,
            file=file,
            verdict=self.verdict(tenant, model),
            at=self.clock.now(),
            now=now,
        )

    def admit(self, caller: Person, name: DeploymentName, model: Digest, weights: Digest) -> None:
        """Return where these very bytes may be served; else the refusal is recorded, and published, before it is said.

        Raises:
            Refused: the policies say no; the log has the rules by name.
        """
        question = self.question(caller, name, model, weights)
        if denied := serving.serve(question):
            verdict = question.verdict.entry if question.verdict else None
            told = serving.next_step(question, denied)
            self._refuse(caller, name, model, denied, question.file.digest, verdict, told)

    def admit_attached(self, caller: Person, name: DeploymentName, declared: Digest | None) -> None:
        """Return where an engine whose bytes nobody here sees may be attached; else as `admit`."""
        tenant, file = caller.tenant, self.files(caller.tenant)
        held = declared is not None and bool(register.held_back(self.intakes.all(tenant), [declared]))
        if denied := serving.attach(caller.id, self.mode(tenant), file, held_back=held):
            told = "`ringfence deploy start` serves bytes that are seen; `ringfence gate` says what is in force"
            if held:
                told = serving.WAITING
            self._refuse(caller, name, declared or Digest.of(b""), denied, file.digest, None, told)

    def _refuse(
        self,
        caller: Person,
        name: DeploymentName,
        loading: Digest,
        denied: Sequence[str],
        policy: Digest,
        verdict: int | None,
        next_step: str,
    ) -> None:
        draft = statements.refused(name, loading, denied, policy, verdict, caller.id, self._turn())
        with self.publishable():
            done = self.recorder.record(draft, tenant=caller.tenant)
        acknowledged = self.publication.published(done.envelope)
        told = "; ".join(serving.WORDS.get(one, one) for one in denied)
        raise Refused(f"{name} is not served: {told} (entry {acknowledged.entry}); next: {next_step}")

    def _turn(self) -> int:
        return int(self.clock.now().timestamp() // REPEATED.total_seconds())


def _stated(one: LoggedStatement) -> Stated | None:
    """Read a verdict; None where it is not one that the control plane stated with a key that counts."""
    if one.standing != TRUSTED or one.issuer is None or one.issuer.role is not KeyRole.CONTROL_PLANE:
        return None
    try:
        claims = statements.claims_of(one.envelope.statement, statements.GATED)
    except RingfenceError:
        return None
    outcomes = {each["condition"]: Outcome(each["outcome"]) for each in claims["conditions"] if each["demanded"]}
    digest = one.envelope.statement.subjects[0].digest
    return Stated(
        digest, claims["verdict"] == "pass", outcomes, Digest.parse(claims["policy"]), one.recorded_at, one.entry
    )
