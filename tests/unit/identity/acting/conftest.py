"""A real installation, a software authenticator, and a passkey that may sign."""

import pytest

from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Assurance, Caller, Level
from ringfence.testing.home import signed
from ringfence.testing.signin import BROWSER, answer_of, enrol


@pytest.fixture
def anna(home):
    return home.actor()


@pytest.fixture
def caller(anna):
    return Caller(anna, Assurance(Level.PASSKEY, stepped_up=False, has_passkey=True))


@pytest.fixture
def acting(services):
    return services.acting


@pytest.fixture
def desk(acting):
    return acting.desk


@pytest.fixture
def passkey(services, key, anna, site):
    """A passkey of the owner that signs in."""
    enrol(services.signin, key, owner_of(anna), site)
    (found,) = services.signin.passkeys.passkeys.of(owner_of(anna))
    return found


@pytest.fixture
def by_key(services, home):
    """Sign a draft with the owner's key in its file."""

    def sign(draft, role=None):
        person = home.people[role or home.actor().role]
        return signed(services, person, draft)[0]

    return sign


@pytest.fixture
def signing(acting, passkey, anna, by_key, services):
    """The same passkey, once the owner's key let it sign."""
    acting.enrolling.enrol(anna, passkey.id, by_key(acting.enrolling.draft(anna, passkey.id)))
    services.ledger.integrate()
    return passkey


@pytest.fixture
def do(desk, caller, anna, site, key):
    """Ask, let the authenticator answer, and sign."""

    def act(prepared, passkey, *, with_=None, browser=BROWSER, **changes):
        options = desk.ask(anna, prepared.id, passkey.id, browser=browser, site=site)
        return desk.sign(caller, prepared.id, answer_of(with_ or key, options, **changes), browser=browser)

    return act
