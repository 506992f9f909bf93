from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.identity.register import key_revoked
from ringfence.kernel.actor import Role
from ringfence.kernel.commitment import commit
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable, VerificationFailed
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import KeyId, LogOrigin, Tenant
from ringfence.storage.outbox import SKEW
from ringfence.storage.rows import SIDE_RECORDS, STATEMENTS
from ringfence.testing.home import TENANT, draft, observed, signed
from ringfence.testing.tenancy import root_of

pytestmark = pytest.mark.databases

OWNER = Role.OWNER


def admit(services, home, envelope, opening=None, *, by=OWNER, **outbox):
    with services.database.transaction():
        return replace(services.outbox, **outbox).admit(envelope, opening, by=home.actor(by))


def rows(services, table=STATEMENTS):
    with services.database.reading() as connection:
        return len(connection.execute(select(table)).all())


@pytest.fixture
def refused(services, home):
    """Expect that an admission is refused, and that nothing at all is written."""

    def expect(kind, match, envelope, opening=None, **how):
        before = rows(services), rows(services, SIDE_RECORDS)
        with pytest.raises(kind, match=match):
            admit(services, home, envelope, opening, **how)
        assert (rows(services), rows(services, SIDE_RECORDS)) == before

    return expect


def test_an_honest_statement_is_sequenced(services, home):
    envelope, opening = signed(services, home.people[OWNER], draft(details={"name": "x"}))
    done = admit(services, home, envelope, opening)
    assert (done.envelope, done.sequence, done.stage, done.entry) == (envelope.digest, 1, Stage.SEQUENCED, None)
    services.ledger.integrate()
    logged = services.ledger.statements(TENANT)[-1]
    assert (logged.envelope, logged.opening) == (envelope, opening)
    assert logged.opening.details == {"name": "x"}


def test_an_idempotency_key_returns_the_first_acknowledgement(services, home):
    first, _ = signed(services, home.people[OWNER], draft(idempotency_key="once"))
    done = admit(services, home, first)
    again, _ = signed(services, home.people[OWNER], draft(claims={"system": "other"}, idempotency_key="once"))
    before = rows(services)
    assert admit(services, home, again) == done
    assert rows(services) == before
    services.ledger.integrate()
    integrated = admit(services, home, again)
    assert (integrated.envelope, integrated.stage) == (first.digest, Stage.INTEGRATED)
    assert integrated.entry is not None


def test_recording_with_an_idempotency_key_records_once(services):
    with services.database.transaction():
        first = services.outbox.record(observed(idempotency_key="once"), tenant=TENANT)
        assert services.outbox.record(observed(idempotency_key="once"), tenant=TENANT) == first


def test_an_idempotency_key_belongs_to_its_issuer(services, home):
    one, _ = signed(services, home.people[OWNER], draft(idempotency_key="k"))
    two, _ = signed(services, home.people[Role.ENGINEER], draft(idempotency_key="k"))
    assert admit(services, home, one).envelope != admit(services, home, two, by=Role.ENGINEER).envelope


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"tenant": Tenant("other")}, "not for this tenant and log"),
        ({"log": LogOrigin("other.example/log")}, "not for this tenant and log"),
        ({"demo": True}, "demo"),
        ({"issued_at": timedelta(minutes=6)}, "set the clock"),
        ({"issued_at": -timedelta(minutes=6)}, "set the clock"),
    ],
    ids=["tenant", "log", "demo", "future", "past"],
)
def test_a_statement_for_elsewhere_is_refused(services, home, refused, changes, match):
    if "issued_at" in changes:
        changes = {"issued_at": services.clock.now() + changes["issued_at"]}
    refused(Refused, match, signed(services, home.people[OWNER], draft(), **changes)[0])


def test_the_skew_is_exact(services, home, refused):
    at = services.clock.now() + SKEW
    assert admit(services, home, signed(services, home.people[OWNER], draft(), issued_at=at)[0])
    late = at + timedelta(milliseconds=1)
    refused(Refused, "set the clock", signed(services, home.people[OWNER], draft(), issued_at=late)[0])


def test_a_demo_tenant_takes_demo_statements_only(services, home, refused):
    plain, _ = signed(services, home.people[OWNER], draft())
    refused(Refused, "demo", plain, demo_tenants=frozenset({TENANT}))
    marked, _ = signed(services, home.people[OWNER], draft(), demo=True)
    assert admit(services, home, marked, demo_tenants=frozenset({TENANT}))


def test_another_persons_key_is_refused(services, home, refused):
    envelope, _ = signed(services, home.people[Role.ENGINEER], draft())
    refused(Refused, "by the person who signed it", envelope, by=OWNER)


def test_an_unknown_key_is_refused(services, refused):
    refused(Refused, "unknown", signed(services, NewPerson.make("X", OWNER), draft())[0])


def test_an_expired_key_is_refused(services, home, clock, refused):
    clock.advance(timedelta(days=366))
    refused(Refused, "expired", signed(services, home.people[OWNER], draft())[0])


def test_a_revoked_key_is_refused(services, home, clock, refused):
    record = services.identity.people.by_id(TENANT, home.people[Role.ENGINEER].id)
    with services.database.transaction():
        services.outbox.record(key_revoked(record.key, reason="left", at=clock.now()), tenant=TENANT)
    services.ledger.integrate()
    refused(Refused, "revoked", signed(services, home.people[Role.ENGINEER], draft())[0], by=Role.ENGINEER)


@pytest.mark.parametrize("predicate", ["access.register", "key.revoked", "log.heartbeat", "made.up"])
def test_what_operators_may_not_state_is_refused(services, home, refused, predicate):
    refused(Refused, "no operator states", signed(services, home.people[OWNER], draft(predicate))[0])


def test_an_operator_enrols_nothing_that_is_no_passkey(services, home, refused):
    refused(
        MalformedInput, "key.enrolled has the claims", signed(services, home.people[OWNER], draft("key.enrolled"))[0]
    )


def test_a_forged_signature_is_refused(services, home, refused):
    envelope, _ = signed(services, home.people[OWNER], draft())
    refused(VerificationFailed, "signature", replace(envelope, signature=bytes(64)))


def test_the_opening_must_be_that_of_the_commitment(services, home, refused):
    envelope, opening = signed(services, home.people[OWNER], draft(details={"name": "x"}))
    refused(VerificationFailed, "details", envelope, commit({"name": "y"}, bytes(32)))
    refused(VerificationFailed, "needs its side record", envelope, None)
    bare, _ = signed(services, home.people[OWNER], draft())
    refused(VerificationFailed, "only such a statement", bare, opening)
    assert admit(services, home, envelope, opening)


def test_one_side_record_serves_one_statement(services, home, refused):
    person, wanted = home.people[OWNER], draft(details={"name": "x"})
    envelope, opening = signed(services, person, wanted)
    admit(services, home, envelope, opening)
    statement = envelope.statement
    issuance = replace(statement.issuance, sequence=2, nonce="0" * 32, idempotency_key="other")
    again = person.signer.sign(replace(statement, issuance=issuance))
    refused(Conflict, "fresh salt", again, opening)


@pytest.mark.parametrize("sequence", [2, 3, 2**53])
def test_a_place_that_is_not_the_next_is_refused(services, home, refused, sequence):
    refused(Conflict, "has sequence 1", signed(services, home.people[OWNER], draft(), sequence=sequence)[0])


def test_a_place_that_is_taken_is_refused(services, home, refused):
    admit(services, home, signed(services, home.people[OWNER], draft())[0])
    refused(Conflict, "has sequence 2", signed(services, home.people[OWNER], draft(), sequence=1)[0])


def test_the_same_digest_is_never_sequenced_twice(services, home):
    envelope, _ = signed(services, home.people[OWNER], draft())
    admit(services, home, envelope)
    with pytest.raises(Conflict), services.database.transaction():
        services.outbox.append(envelope, None)


def test_details_that_cannot_be_read_back_are_not_recorded(services):
    before = rows(services)
    with pytest.raises(MalformedInput), services.database.transaction():
        services.outbox.record(observed(details={"ratio": 0.5}), tenant=TENANT)
    assert rows(services) == before


def test_a_group_is_appended_at_once(services, home):
    person = home.people[OWNER]
    group = [signed(services, person, draft(), sequence=number)[0] for number in (1, 2, 3)]
    with services.database.transaction():
        services.outbox.append_all(group)
    assert services.outbox.next_sequence(TENANT, person.signer.key) == 4
    assert [item.digest for item in services.outbox.pending(10)] == [envelope.digest for envelope in group]


def test_pages_and_bounds(services):
    with services.database.transaction():
        for number in range(5):
            services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
    services.ledger.integrate()
    entries = [stored.entry for stored in services.outbox.statements(TENANT)]
    assert entries == sorted(entries)
    newest = services.outbox.statements(TENANT, newest_first=True, limit=2)
    assert [stored.entry for stored in newest] == entries[:-3:-1]
    assert [s.entry for s in services.outbox.statements(TENANT, before=entries[2])] == entries[:2]
    assert [s.entry for s in services.outbox.statements(TENANT, size=3)] == entries[:3]
    assert services.outbox.statements(TENANT, at=services.clock.now() - timedelta(seconds=1)) == []
    assert services.outbox.statements(Tenant("other")) == []
    assert services.outbox.next_sequence(Tenant("other"), KeyId("0" * 64)) == 1


# What the root signs


def enrolment(services, home, **changes):

    person = NewPerson.make("New", Role.AUDITOR)
    return signed(services, root_of(home), operator_enrolled(person, "file-plain", services.clock.now()), **changes)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"log": LogOrigin("other.example/log")}, Refused),
        ({"demo": True}, Refused),
        ({"sequence": 1}, Conflict),
        ({"sequence": 99}, Conflict),
    ],
)
def test_what_the_root_signed_for_elsewhere_is_refused(services, home, changes, kind):
    before = rows(services)
    envelope, opening = enrolment(services, home, **changes)
    with pytest.raises(kind), services.database.transaction():
        services.outbox.admit_from_root(envelope, opening)
    assert rows(services) == before


def test_what_the_root_signed_comes_with_its_side_record(services, home):
    envelope, opening = enrolment(services, home)
    with pytest.raises(VerificationFailed), services.database.transaction():
        services.outbox.admit_from_root(envelope, None)
    with services.database.transaction():
        assert services.outbox.admit_from_root(envelope, opening).stage is Stage.SEQUENCED


def test_with_the_clock_before_the_log_nothing_is_sequenced(services, clock):
    services.ledger.published(services.identity.record_register(TENANT).envelope)
    clock.advance(-timedelta(hours=1))
    with pytest.raises(Unavailable, match="set the clock"):
        services.identity.record_register(TENANT)
    assert services.outbox.pending(10) == []
