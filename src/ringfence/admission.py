"""Who may state what, and who may come in: the outbox's gate and the routes' door."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ringfence.frontends.http import Credential
from ringfence.identity.accounts.model import PREFIX as SERVICE_KEY
from ringfence.identity.accounts.service import ServiceAccounts
from ringfence.identity.service import Identity
from ringfence.identity.signin.service import SignIn
from ringfence.kernel.actor import Assurance, Caller, Level, Person
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Issuance, KeyRole, Statement
from ringfence.ledger.books import CLAIM, check_book, unpinned
from ringfence.ledger.entry import tenant_tag
from ringfence.ledger.issuers import ENROLLED, Issuers, check_enrolment, parse_enrolment
from ringfence.ledger.model import Standing
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.checking import check_stated
from ringfence.storage.numbering import TenantNumbers

# What an operator's key may state; the rest is stated by the services themselves, or by the root.
OPERATOR_PREDICATES = frozenset(
    {
        "backup.artifacts_made",
        "backup.artifacts_restored",
        "dataset.sealed",
        "dataset.provenance",
        "dataset.opened",
        "dataset.checked",
        "dataset.verified",
        "dataset.erasure_requested",
        "dataset.erased",
        "model.imported",
        "model.scan",
        "model.quarantined",
        "model.signed",
        "entity.classification",
        "ai.classification",
        "kek.rotated",
        "key.custody",
        "ledger.head_exported",
        "redteam.run",
        "report.exported",
        "run.imported",
        "run.manifest",
        "techdoc.exported",
    }
)
# Signed acts that change state: only the service that keeps the state admits them, after its own checks.
ACTS = frozenset(
    {
        "access.review_decided",
        "control.not_applicable",
        "exception.approved",
        "exception.ended",
        "exception.requested",
        "incident.breach_notice",
        "incident.closed",
        "incident.corrected",
        "incident.customer_notice",
        "incident.opened",
        "incident.report",
        "incident.triage",
        "gate.mode_set",
        "key.enrolled",
        "key.release_allowed",
        "model.approved",
        "model.intake_decided",
        "opinion.given",
        "opinion.withdrawn",
        "profile.selected",
        "mgmt.resolution_opened",
        "mgmt.vote",
        "quarantine.release_approved",
        "quarantine.release_requested",
        "risk.accepted",
        "risk.registered",
        "risk.reviewed",
        "risk.treated",
    }
)


@dataclass(frozen=True, slots=True)
class Gate:
    """The outbox's `Gatekeeper`: the key must be the caller's own, in force, and allowed to state this."""

    issuers: Callable[[Tenant], Issuers]

    def check(self, envelope: Envelope, *, by: Person, at: datetime) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        standing, issuer = self.issuers(by.tenant).at(envelope.signer, at)
        if issuer is None or standing is not Standing.TRUSTED:
            raise Refused(f"the key {envelope.signer[:16]}… is {standing}; statements by it are not taken")
        issuer.verify(envelope)
        if issuer.role is not KeyRole.OPERATOR or issuer.person != by.id:
            raise Refused("a statement is posted by the person who signed it, with that person's own token")
        _check_claimed(envelope.statement.issuance, issuer.role)
        _check_said(envelope.statement)
        if envelope.statement.predicate == ENROLLED:
            _check_passkey(self.issuers(by.tenant), at, envelope)

    def check_enrolment(self, envelope: Envelope, *, root: bytes) -> None:
        """Return where the root enrols a key, or raise."""
        envelope.verify(root)
        if envelope.statement.predicate != "key.enrolled":
            raise Refused("only enrolments are posted with the root's key")
        parse_enrolment(envelope.statement)


def _check_said(statement: Statement) -> None:
    if statement.predicate in shelf.types():
        check_stated(shelf.form(statement.predicate), statement, statement.issuance.issued_at.date())
    elif statement.predicate not in OPERATOR_PREDICATES | ACTS:
        raise Refused(f"no operator states {statement.predicate}: it is stated by what it is about")


def _check_claimed(issuance: Issuance, role: KeyRole) -> None:
    if not role.may_claim(issuance.strength):
        raise Refused(f"the statement calls itself {issuance.strength.text}; a person's key states at most observed")
    if issuance.late:
        raise Refused("a person's statement is never late: only the emergency journal holds back what was signed")


def _check_passkey(known: Issuers, at: datetime, envelope: Envelope) -> None:
    if check_enrolment(known, at, envelope).key in known.enrolments:
        raise Refused("this passkey is enrolled for signing already; a key has one enrolment for ever")


@dataclass(frozen=True, slots=True)
class RootEnrolments:
    """`identity.ports.Enrolments`: what the root signed, and nobody else."""

    gate: Gate
    root: bytes
    numbers: TenantNumbers

    def check_enrolment(self, envelope: Envelope) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        self.gate.check_enrolment(envelope, root=self.root)
        tenant = envelope.statement.issuance.tenant
        if known := self.numbers.all().get(tenant):  # a new tenant's book begins with its enrolments
            check_book(envelope.statement.claims, tenant_tag(known.salt, tenant))


@dataclass(frozen=True, slots=True)
class NewBooks:
    """`identity.ports.Books`: a new tenant's numbering begins under the salt whose tag the root signed."""

    numbers: TenantNumbers

    def check(self, envelope: Envelope, salt: bytes) -> None:
        """Return where the enrolment is for the book under this salt, or raise `VerificationFailed`."""
        claims = envelope.statement.claims
        if CLAIM not in claims:
            raise VerificationFailed(
                f"each enrolment in a new tenant names its {CLAIM}, so that there is one book of it"
            )
        check_book(claims, tenant_tag(salt, envelope.statement.issuance.tenant))

    def begin(self, tenant: Tenant, salt: bytes) -> None:
        """Begin the book of a new tenant."""
        self.numbers.begin(tenant, salt)

    def same(self, first: Envelope, second: Envelope) -> bool:
        """Tell whether two enrolments say the same, each in its own book."""
        return unpinned(first.statement.claims) == unpinned(second.statement.claims)


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """`frontends.http.Door` over the identity service and the ways in."""

    identity: Identity
    signin: SignIn
    accounts: ServiceAccounts

    def authenticate(self, credential: Credential) -> Caller:
        """Return who is behind a credential, and how surely."""
        if credential.token.startswith(SERVICE_KEY):
            return Caller(self.accounts.authenticate(credential.token), Assurance(Level.TOKEN))
        if credential.session:
            return self.signin.sessions.caller(credential.session, unattended=credential.unattended)
        return self.signin.by_token(self.identity.authenticate(token=credential.token), credential.confirmation)

    def authorise(self, caller: Caller, action: str) -> None:
        """Ask the policies."""
        self.identity.policies.admit(caller, action)
