import dataclasses

import pytest

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.identity.tenants.service import Founding
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, RingfenceError, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.books import pinned
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.tenancy import OTHER, founding, root_of, second


@pytest.fixture
def tenants(services):
    return services.access.tenants


@pytest.fixture
def wanted(services, home):
    return founding(services, home, OTHER, NewPerson.make("Bob", Role.OWNER))


def known(services):
    return [record.tenant for record in services.identity.people.tenants()]


def test_a_tenant_has_its_owner_its_keys_and_its_own_sequences(services, tenants, home, wanted):
    tenants.found(wanted, by=home.actor())
    assert known(services) == [TENANT, OTHER]
    issuers = services.ledger.issuers(OTHER).enrolments.values()
    roles = {one.issuer.role for one in issuers}
    assert roles == {KeyRole.CONTROL_PLANE, KeyRole.LEDGER, KeyRole.EMERGENCY, KeyRole.GATEWAY, KeyRole.OPERATOR}
    services.collectors["log.heartbeat"](OTHER)
    services.collectors["log.heartbeat"](TENANT)
    last = {tenant: services.ledger.statements(tenant)[-1] for tenant in (TENANT, OTHER)}
    assert {one.standing.value for one in last.values()} == {"trusted"}
    assert {one.envelope.statement.issuance.sequence for one in last.values()} == {1}


def test_containment_works_in_it_at_once(services, home):
    other = second(services, home)
    done = services.identity.remove(other.people[Role.ENGINEER].id, by=other.actor(), left_at=None, reason="left")
    assert done.stage.value == "published"
    assert services.ledger.statements(OTHER)[-1].standing.value == "trusted"


def test_every_collector_states_in_it(services, home):
    second(services, home)
    for name, collect in services.collectors.items():
        assert collect(OTHER).entry is not None, name


def test_a_name_is_taken_once(tenants, home, wanted):
    tenants.found(wanted, by=home.actor())
    with pytest.raises(Conflict):
        tenants.found(wanted, by=home.actor())


def test_the_first_tenants_owners_look_after_the_installation(services, tenants, home, wanted):
    other = second(services, home, Tenant("second"))
    with pytest.raises(Refused, match="first"):
        tenants.found(wanted, by=other.actor())
    with pytest.raises(Refused):
        tenants.to_enrol(other.actor())
    assert [record.tenant for record in tenants.seen_by(other.actor())] == ["second"]
    assert [record.tenant for record in tenants.seen_by(home.actor())] == [TENANT, "second"]


def broken(wanted, services, home):
    """Foundings with one thing wrong, by what it is."""
    owner, root = NewPerson.make("Eve", Role.OWNER), root_of(home)
    now = services.clock.now()
    forged = signed(services, owner, operator_enrolled(owner, "file-plain", now), tenant=OTHER, sequence=5)
    elsewhere = signed(services, root, operator_enrolled(owner, "file-plain", now), tenant=TENANT)
    engineer = NewPerson.make("Bob", Role.ENGINEER)
    lesser = signed(services, root, operator_enrolled(engineer, "file-plain", now), tenant=OTHER, sequence=5)
    return {
        "a key is missing": dataclasses.replace(wanted, services=wanted.services[1:]),
        "a key twice": dataclasses.replace(wanted, services=(*wanted.services, wanted.services[0])),
        "an owner among the services": dataclasses.replace(wanted, services=(*wanted.services[1:], wanted.owner)),
        "not signed by the root": dataclasses.replace(wanted, owner=forged, owner_name="Eve"),
        "for another tenant": dataclasses.replace(wanted, owner=elsewhere, owner_name="Eve"),
        "no owner": dataclasses.replace(wanted, owner=lesser),
        "another name": dataclasses.replace(wanted, owner_name="Mallory"),
        "no name": dataclasses.replace(wanted, owner_name=""),
        "a service key as the owner": dataclasses.replace(wanted, owner=wanted.services[0]),
        "a demo in a real installation": dataclasses.replace(wanted, demo=True),
    }


CASES = [
    "a key is missing",
    "a key twice",
    "an owner among the services",
    "not signed by the root",
    "for another tenant",
    "no owner",
    "another name",
    "no name",
    "a service key as the owner",
    "a demo in a real installation",
]


@pytest.mark.parametrize("case", CASES)
def test_a_founding_with_one_thing_wrong_leaves_nothing(services, tenants, home, wanted, case):
    before = len(services.outbox.pending(100))
    with pytest.raises((VerificationFailed, Refused, MalformedInput)):
        tenants.found(broken(wanted, services, home)[case], by=home.actor())
    assert known(services) == [TENANT]
    assert len(services.outbox.pending(100)) == before
    assert set(services.demo_tenants) == set()


def test_the_cases_are_all_tried(services, home, wanted):
    assert list(broken(wanted, services, home)) == CASES


def test_a_demo_installation_takes_demo_tenants_only(tmp_path):
    clock = FakeClock()
    home = make(tmp_path / "home", clock, demo=True)
    with home.services(clock) as services:
        owner = NewPerson.make("Bob", Role.OWNER)
        with pytest.raises(Refused, match="demo"):
            services.access.tenants.found(founding(services, home, OTHER, owner), by=home.actor())
        made = founding(services, home, OTHER, owner, demo=True)
        services.access.tenants.found(made, by=home.actor())
        services.collectors["log.heartbeat"](OTHER)
        assert all(one.envelope.statement.issuance.demo for one in services.ledger.statements(OTHER))


def test_an_attempt_that_failed_late_can_be_repeated(services, tenants, home, wanted):
    """The disk of the journal was reserved already."""
    services.journal.file(OTHER).create()
    assert isinstance(wanted, Founding)
    tenants.found(wanted, by=home.actor())
    assert known(services) == [TENANT, OTHER]


def test_it_says_what_it_may(services, tenants, home):
    with pytest.raises(RingfenceError):
        tenants.found(founding(services, home, TENANT, NewPerson.make("Bob", Role.OWNER)), by=home.actor())


def test_a_tenant_is_founded_in_the_one_book_that_the_root_signed_for(services, home):
    owner = NewPerson.make("Grace", Role.OWNER)
    wanted = founding(services, home, OTHER, owner)
    with pytest.raises(VerificationFailed, match="second book"):
        services.access.tenants.found(dataclasses.replace(wanted, salt=b"t" * 32), by=home.actor())
    now = services.clock.now()
    unnamed = signed(services, root_of(home), operator_enrolled(owner, "file-plain", now), tenant=OTHER, sequence=5)
    with pytest.raises(VerificationFailed, match="names its tenantTag"):
        services.access.tenants.found(dataclasses.replace(wanted, owner=unnamed), by=home.actor())
    services.access.tenants.found(wanted, by=home.actor())
    tag = {one.envelope.statement.claims["tenantTag"] for one in services.ledger.statements(OTHER, ["key.enrolled"])}
    assert tag == {services.ledger.statements(OTHER)[0].place.tag.hex()}
    first = [one for one in services.ledger.statements(TENANT) if "tenantTag" in one.envelope.statement.claims]
    assert {one.envelope.statement.claims["tenantTag"] for one in first} == {first[0].place.tag.hex()}
    again = pinned(operator_enrolled(NewPerson.make("Eve", Role.OWNER), "file-plain", now), bytes(32))
    with pytest.raises(VerificationFailed, match="second book"):
        services.identity.enrolments.check_enrolment(
            signed(services, root_of(home), again, tenant=OTHER, sequence=6)[0]
        )
