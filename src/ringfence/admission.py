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
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.issuers import ENROLLED, Issuers, check_enrolment, parse_enrolment
from ringfence.ledger.model import Standing

# What an operator's key may state; the rest is stated by the services themselves, or by the root.
OPERATOR_PREDICATES = frozenset(
    {
        "dataset.sealed",
        "dataset.provenance",
        "dataset.opened",
        "dataset.verified",
        "model.scan",
        "model.signed",
        "entity.classification",
        "ai.classification",
        "key.custody",
        "ledger.head_exported",
        "redteam.run",
        "report.exported",
        "run.manifest",
    }
)
# Signed acts that change state: only the service that keeps the state admits them, after its own checks.
ACTS = frozenset(
    {
        "access.review_decided",
        "incident.closed",
        "incident.corrected",
        "incident.customer_notice",
        "incident.opened",
        "incident.report",
        "incident.triage",
        "key.enrolled",
        "quarantine.release_approved",
        "quarantine.release_requested",
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
        if envelope.statement.predicate not in OPERATOR_PREDICATES | ACTS:
            raise Refused(f"no operator states {envelope.statement.predicate}: it is stated by what it is about")
        if envelope.statement.predicate == ENROLLED:
            _check_passkey(self.issuers(by.tenant), at, envelope)

    def check_enrolment(self, envelope: Envelope, *, root: bytes) -> None:
        """Return where the root enrols a key, or raise."""
        envelope.verify(root)
        if envelope.statement.predicate != "key.enrolled":
            raise Refused("only enrolments are posted with the root's key")
        parse_enrolment(envelope.statement)


def _check_passkey(known: Issuers, at: datetime, envelope: Envelope) -> None:
    if check_enrolment(known, at, envelope).key in known.enrolments:
        raise Refused("this passkey is enrolled for signing already; a key has one enrolment for ever")


@dataclass(frozen=True, slots=True)
class RootEnrolments:
    """`identity.ports.Enrolments`: what the root signed, and nobody else."""

    gate: Gate
    root: bytes

    def check_enrolment(self, envelope: Envelope) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        self.gate.check_enrolment(envelope, root=self.root)


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
