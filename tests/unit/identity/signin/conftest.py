"""The desks over a real database and a real log, with a hash that costs nothing and a software authenticator."""

import pytest

from ringfence.identity.signin.service import owner_of
from ringfence.identity.signin.wires import signing_in
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT
from ringfence.testing.signin import CountingHasher, enrol


@pytest.fixture
def hasher():
    return CountingHasher()


@pytest.fixture
def signin(services, hasher):
    identity = services.identity
    return signing_in(
        services.database,
        identity.people,
        identity.revocations,
        services.outbox,
        services.ledger,
        services.home.vault(None),
        services.clock,
        hasher,
    )


@pytest.fixture
def owner(home):
    return owner_of(home.actor())


@pytest.fixture
def other(home):
    return owner_of(home.actor(Role.ENGINEER))


@pytest.fixture
def stated(services):
    """What was stated of some types, oldest first."""

    def of(*names):
        services.ledger.integrate()
        found = (logged.envelope.statement for logged in services.ledger.statements(TENANT))
        return [statement for statement in found if statement.predicate in names]

    return of


@pytest.fixture
def enrolled(signin, key, owner, site):
    """The desks, with a passkey of the owner enrolled."""
    enrol(signin, key, owner, site)
    return signin
