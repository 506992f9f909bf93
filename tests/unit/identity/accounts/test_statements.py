from datetime import UTC, datetime, timedelta

from ringfence.identity.accounts.model import Account
from ringfence.identity.accounts.statements import service_enrolled, service_revoked
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant

START = datetime(2026, 11, 22, tzinfo=UTC)
BY = Person(PersonId("person-0123456789ab"), Tenant("main"), Role.OWNER)


def account(secret_hash=bytes(32)):
    service, tenant = PersonId("service-0123456789ab"), Tenant("main")
    until = START + timedelta(days=1)
    return Account(service, tenant, Role.SECURITY, "collector", frozenset({"a.b"}), secret_hash, START, until)


def test_the_name_stays_out_of_the_claims_and_the_subject_is_the_key():
    stated = service_enrolled(account(secret_hash=Digest.of(b"rfs-x").value), BY)
    assert stated.details == {"name": "collector"}
    assert "collector" not in str(stated.claims)
    assert stated.subjects[0].digest == Digest.of(b"rfs-x")


def test_containment_has_no_side_record():
    stated = service_revoked(account(), BY, "leaked", START)
    assert not stated.details
    assert stated.claims == {"service": account().id, "reason": "leaked", "at": to_text(START), "by": BY.id}
