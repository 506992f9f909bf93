"""What two people are to a tenant and to each other: whether they may release, and what their signatures are worth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ringfence.identity.service import Identity
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.kernel.two_person import MATURITY, Half
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import Standing

RELEASE = "node.release"


@dataclass(frozen=True, slots=True)
class Colleagues:
    """`compute.ports.Colleagues` over identity and the log."""

    identity: Identity
    enrolled: Callable[[Tenant, PersonId], PersonId | None]
    issuers: Callable[[Tenant], Issuers]
    stated: Callable[[Digest], Envelope | None]

    def may_release(self, tenant: Tenant, person: PersonId) -> bool:
        """Return whether the person is here, and may release nodes."""
        record = self.identity.people.by_id(tenant, person)
        if record is None or record.removed_at is not None or person in self.identity.revocations:
            return False
        try:
            self.identity.authorise(record.actor, RELEASE)
        except Refused:
            return False
        return True

    def enrolled_by(self, tenant: Tenant, person: PersonId) -> PersonId | None:
        """Return who enrolled the person, where that is known."""
        return self.enrolled(tenant, person)

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        found = self.stated(envelope)
        if found is None:
            raise Refused(f"the log holds no statement {envelope}; begin anew")
        issued = found.statement.issuance
        enrolment = self.issuers(tenant).enrolments.get(issued.issuer)
        if issued.tenant != tenant or enrolment is None or enrolment.issuer.person != person:
            raise Refused(f"the statement {envelope} was not signed by {person}; begin anew")
        return Half(
            person=person,
            subject=found.statement.subjects[0].digest,
            at=issued.issued_at,
            algorithm=enrolment.issuer.algorithm,
            known_since=enrolment.recorded_at,
            credential_by=enrolment.issuer.enrolled_by,
            person_by=self.enrolled(tenant, person),
        )

    def established(self, tenant: Tenant, at: datetime) -> int:
        """Return how many people who may release have a credential that is old enough for an act of two."""
        return len({person for person in established(self.issuers(tenant), at) if self.may_release(tenant, person)})


def nobody_known(tenant: Tenant, person: PersonId) -> PersonId | None:  # noqa: ARG001 - the form of `enrolled`
    """Return nobody: the root enrols people, and who held its key is not recorded (docs/decisions/0011)."""
    return None


def established(issuers: Issuers, at: datetime) -> frozenset[PersonId]:
    """Return whose credential is in force at a time, and known to the log for long enough."""
    return frozenset(
        known.issuer.person
        for key, known in issuers.enrolments.items()
        if known.issuer.person is not None
        and known.issuer.role is KeyRole.OPERATOR
        and at - known.recorded_at >= MATURITY
        and issuers.at(key, at)[0] is Standing.TRUSTED
    )
