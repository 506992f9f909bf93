"""A second tenant in the same installation neither reads, proves, changes nor adds anything of the first."""

import base64
from dataclasses import replace

import pytest

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.identity.model import PersonRecord, TenantRecord
from ringfence.identity.service import hashed
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.identifier import Tenant
from ringfence.storage import keyfile
from ringfence.storage.journal import JournalFile
from ringfence.testing.home import TENANT, draft, observed, signed

OTHER = Tenant("other")


@pytest.fixture
def stranger(services, home):
    """An owner of a second tenant, enrolled by the same root."""
    person = NewPerson.make("B owner", Role.OWNER)
    seed = keyfile.load(home.path / "keys" / "root.json", None).secret("root")
    root = replace(person, seed=seed)
    now = services.clock.now()
    JournalFile(home.path / "journal" / OTHER).create()
    with services.database.transaction():
        services.identity.people.add_tenant(TenantRecord(OTHER, False, now))
        services.identity.people.add(
            PersonRecord(person.id, OTHER, Role.OWNER, person.name, person.signer.key, hashed(person.token), now)
        )
        envelope, opening = signed(services, root, operator_enrolled(person, "file-plain", now), tenant=OTHER)
        services.outbox.admit_from_root(envelope, opening)
    services.ledger.integrate()
    return person


@pytest.fixture
def ask(services, home, stranger):
    with home.http(services, role=None) as http:
        http.headers["authorization"] = f"Bearer {stranger.token}"
        yield http.request


def test_each_sees_only_its_own_statements(ask, services):
    found = ask("GET", "/api/v1/ledger/statements", params={"limit": 500}).json()["statements"]
    assert [statement["predicate"] for statement in found] == ["key.enrolled"]
    assert {s.envelope.statement.issuance.tenant for s in services.ledger.statements(TENANT)} == {TENANT}
    assert len(services.ledger.statements(OTHER)) == 1


def test_entries_of_the_other_tenant_are_not_found(ask, services):
    size = services.ledger.head().checkpoint.size
    for entry in range(size - 1):
        answer = ask("GET", f"/api/v1/ledger/proofs/{entry}")
        assert answer.status_code == 404
    assert ask("GET", f"/api/v1/ledger/proofs/{size - 1}").status_code == 200


def test_people_of_the_other_tenant_are_not_found(ask, home):
    assert len(ask("GET", "/api/v1/people").json()["people"]) == 1
    engineer = home.people[Role.ENGINEER].id
    answer = ask("POST", f"/api/v1/people/{engineer}/remove", json={"reason": "left"})
    assert answer.status_code == 404
    with home.services() as services:
        assert engineer not in services.identity.revocations


def test_places_of_the_other_tenants_keys_are_not_told(ask, services):
    key = services.outbox.signer.key
    with services.database.transaction():
        services.outbox.record(observed(), tenant=TENANT)
    assert ask("GET", f"/api/v1/sources/{key}").json()["next"] == 1


def test_a_statement_for_the_other_tenant_is_refused(ask, services, stranger):
    envelope, _ = signed(services, stranger, draft(), tenant=TENANT)
    before = len(services.outbox.statements(TENANT)), len(services.outbox.pending(10))
    answer = ask(
        "POST", "/api/v1/statements", json={"envelope": base64.b64encode(envelope.data).decode(), "opening": None}
    )
    assert answer.status_code == 403
    assert (len(services.outbox.statements(TENANT)), len(services.outbox.pending(10))) == before


def test_a_key_of_the_other_tenant_is_unknown_here(services, home, stranger):
    envelope, _ = signed(services, stranger, draft())
    with pytest.raises(Refused, match="unknown"), services.database.transaction():
        services.outbox.admit(envelope, None, by=home.actor())
    with pytest.raises(Refused, match="unknown"), services.database.transaction():
        services.outbox.admit(envelope, None, by=Person(stranger.id, TENANT, Role.OWNER))


def test_an_enrolment_for_the_other_tenant_is_refused(ask, services, home):
    person = NewPerson.make("Sneaked in", Role.OWNER)
    seed = keyfile.load(home.path / "keys" / "root.json", None).secret("root")
    wanted = operator_enrolled(person, "file-plain", services.clock.now())
    envelope, opening = signed(services, replace(person, seed=seed), wanted, tenant=TENANT)
    body = {
        "envelope": base64.b64encode(envelope.data).decode(),
        "opening": opening.to_text(),
        "name": person.name,
        "role": "owner",
        "token_hash": hashed(person.token).hex(),
    }
    assert ask("POST", "/api/v1/people", json=body).status_code == 422
    assert person.id not in {record.id for record in services.identity.register(TENANT)}


def test_a_removal_reaches_only_the_own_tenant(services, home, stranger):
    by = Person(stranger.id, OTHER, Role.OWNER)
    with pytest.raises(NotFound):
        services.identity.remove(home.people[Role.AUDITOR].id, by=by, left_at=None, reason="left")
    assert services.journal.file(OTHER).records() == []


def test_datasets_of_the_other_tenant_are_not_listed(ask):
    assert ask("GET", "/api/v1/datasets").json()["datasets"] == []
