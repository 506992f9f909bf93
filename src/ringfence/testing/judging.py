"""People who judge, each with a passkey that signs; and what they said, without a log, for folds.

desk = Signers(services, home)
services.judgements.risks.accept(desk.actor(Role.MANAGEMENT), risk, *desk.passkey(Role.MANAGEMENT, draft))
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.exceptions.model import ExceptionId, Wanted
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.opinions.model import Given, Method, OpinionId, Verdict
from ringfence.governance.risks import statements as risks
from ringfence.governance.risks.model import Plan, Rating, RiskId, Row, Treatment
from ringfence.governance.risks.statements import Accepting
from ringfence.governance.signed import Said
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import SALT_SIZE, Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.statement import Draft, Issuance
from ringfence.services import Services
from ringfence.testing import acting
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.signin import SITE, enrol

ANNA, BEN, CARA = (PersonId(f"person-{digit * 12}") for digit in "abc")
RISK = RiskId("risk-0123456789ab")
EXCEPTION = ExceptionId("exception-0123456789ab")
OPINION = OpinionId("opinion-0123456789ab")
TODAY = START.date()


def in_days(days: int) -> date:
    """Return a day, counted from the start of the fake clock."""
    return TODAY + timedelta(days=days)


PLAN = Plan(Treatment.REDUCE, Rating(2, 3), ("MOD-01",), in_days(60), done=False, text="Sign every model.")
ROW = Row(
    id=RISK,
    rating=Rating(4, 5),
    owner=ANNA,
    owned=True,
    threats=("T01",),
    controls=("DAT-01",),
    review_on=in_days(90),
    title="Weights are taken",
    text="Somebody copies them.",
)
WANTED = Wanted(EXCEPTION, "MOD-01", ANNA, ("MOD-02",), in_days(90), "The scanner cannot read this format yet.")
GIVEN = Given(
    id=OPINION,
    control="MOD-01",
    verdict=Verdict.DISAGREES,
    method=Method.EXAMINE,
    basis=(),
    rules=Digest.of(b"rules"),
    status="not-satisfied",
    until=in_days(180),
    sentence="The population is not whole.",
)


@dataclass(slots=True)
class Signers:
    """The people of an installation at their keys."""

    services: Services
    home: LabHome
    keys: dict[Role, Authenticator] = field(default_factory=dict)

    def actor(self, role: Role) -> Person:
        """Return the person of a role."""
        return self.home.actor(role)

    def key(self, role: Role) -> Authenticator:
        """Return the passkey of a person, enrolled for signing when it is first asked for."""
        if role not in self.keys:
            key = self.keys[role] = Authenticator(SITE.origin)
            owner = owner_of(self.actor(role))
            enrol(self.services.signin, key, owner, SITE)
            (found,) = self.services.signin.passkeys.passkeys.of(owner)
            enrolling = self.services.acting.enrolling
            wanted = enrolling.draft(self.actor(role), found.id)
            enrolling.enrol(self.actor(role), found.id, self.file(role, wanted)[0])
            self.services.ledger.integrate()
        return self.keys[role]

    def file(self, role: Role, draft: Draft) -> tuple[Envelope, Opening | None]:
        """Sign with the key in the person's file."""
        return signed(self.services, self.home.people[role], draft)

    def passkey(self, role: Role, draft: Draft) -> tuple[Envelope, Opening | None]:
        """Sign with the person's passkey."""
        key = self.key(role)
        opening = commit(draft.details, secrets.token_bytes(SALT_SIZE)) if draft.details else None
        nonce, issuer = secrets.token_hex(16), acting.id_of(key)
        issuance = Issuance(
            tenant=TENANT,
            log=self.services.home.log,
            issuer=issuer,
            strength=draft.strength,
            sequence=self.services.outbox.next_sequence(TENANT, issuer),
            nonce=nonce,
            idempotency_key=nonce,
            issued_at=self.services.clock.now(),
            demo=TENANT in self.services.demo_tenants,
        )
        return acting.sign(key, draft.issued(issuance, opening.commitment if opening else None)), opening


def said(draft: Draft, entry: int, by: PersonId = ANNA, at: datetime = START, **changes: Any) -> Said:
    """Return a draft as a person has said it, by a passkey that the log has known for long."""
    whole = Said(
        entry=entry,
        at=at,
        by=by,
        with_passkey=True,
        key_since=at - timedelta(days=9),
        enrolled_by=by,
        envelope=Digest.of(f"{entry} {to_text(at)}".encode()),
        predicate=draft.predicate,
        claims=dict(draft.claims),
        details=dict(draft.details),
    )
    return replace(whole, **changes)


def rewritten(one: Said, **claims: Any) -> Said:
    """Return the same with other claims."""
    return replace(one, claims={**one.claims, **claims})


def entered(entry: int = 1, by: PersonId = ANNA, **changes: Any) -> Said:
    """Return a risk as somebody entered it."""
    return said(risks.registered([replace(ROW, **changes)]), entry, by)


def treated(entry: int = 2, by: PersonId = ANNA, **changes: Any) -> Said:
    """Return a decision about it."""
    return said(risks.treated(RISK, replace(PLAN, **changes)), entry, by)


def accepted(basis: Said, entry: int = 3, by: PersonId = CARA, **changes: Any) -> Said:
    """Return an acceptance of what is left of it."""
    one = Accepting(RISK, basis.envelope, PLAN.residual, in_days(200), "We bear it.")
    return said(risks.accepted(replace(one, **changes)), entry, by)


def asked(entry: int = 1, by: PersonId = ANNA, **changes: Any) -> Said:
    """Return a request for an exception."""
    return said(exceptions.requested(replace(WANTED, **changes)), entry, by)


def approved(request: Said, entry: int = 2, by: PersonId = BEN, **changes: Any) -> Said:
    """Return another person's approval."""
    return said(exceptions.approved(EXCEPTION, request.envelope), entry, by, **changes)


def opined(entry: int = 1, by: PersonId = BEN, changes: Mapping[str, Any] | None = None) -> Said:
    """Return an opinion."""
    return said(opinions.given(replace(GIVEN, **(changes or {}))), entry, by)
