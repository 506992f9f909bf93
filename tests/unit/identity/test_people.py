import pytest

from ringfence.identity.console import Name, WaysIn
from ringfence.identity.people import PeopleDesk
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import NotFound, Refused
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.home import TENANT
from ringfence.testing.signin import SITE, enrol

HR = Name("hr", "7")


@pytest.fixture
def desk(services):
    return PeopleDesk(services.access.federation, services.access.joining, services.signin)


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        (WaysIn(0, app=False), "token or link only"),
        (WaysIn(1, app=False), "1 passkey"),
        (WaysIn(2, app=True), "2 passkeys and passphrase and code"),
    ],
)
def test_ways_in_are_said_in_words(ways, words):
    assert ways.words == words


def test_names_elsewhere_are_those_of_the_tenant(desk, home):
    by, person = home.actor(), home.people[Role.ENGINEER].id
    desk.link(by, person, HR)
    assert desk.names(TENANT) == {person: [HR]}
    assert desk.names("other") == {}
    desk.unlink(by, HR)
    assert desk.names(TENANT) == {}
    with pytest.raises(NotFound):
        desk.unlink(by, HR)


def test_a_reset_takes_every_way_in_and_is_done_by_somebody_else(desk, services, home):
    engineer = home.actor(Role.ENGINEER)
    enrol(services.signin, Authenticator(SITE.origin), owner_of(engineer), SITE)
    assert desk.ways(TENANT, [engineer.id]) == {engineer.id: WaysIn(1, app=False)}
    with pytest.raises(Refused):
        desk.reset(engineer, engineer.id)
    assert desk.reset(home.actor(), engineer.id) == 1
    assert desk.ways(TENANT, [engineer.id]) == {engineer.id: WaysIn(0, app=False)}


def test_a_role_is_changed_by_somebody_else(desk, services, home):
    auditor = home.people[Role.AUDITOR].id
    desk.change_role(home.actor(), auditor, Role.MANAGEMENT)
    assert services.identity.people.by_id(TENANT, auditor).role is Role.MANAGEMENT
