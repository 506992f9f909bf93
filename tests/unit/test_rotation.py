import os
import shutil
from datetime import timedelta

import pytest

from ringfence import rotation
from ringfence.installation import open_home
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Unavailable, UsageError
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.audit import heartbeat
from ringfence.ledger.model import Standing
from ringfence.rotation import NEXT, OLD, Ending, rotate
from ringfence.signing.custody import State
from ringfence.signing.process import exclusive
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import TENANT, draft, observed, signed


@pytest.fixture
def root(home):
    return Ed25519Signer.from_seed(keyfile.load(home.path / "keys" / "root.json", None).secret("root"))


def stated(services, number):
    with services.database.transaction():
        services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
    services.ledger.integrate()


def standings(services):
    return {logged.standing for logged in services.ledger.statements(TENANT)}


@pytest.mark.parametrize("role", [KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY, KeyRole.GATEWAY])
def test_a_new_key_takes_over_and_everything_old_still_counts(home, root, clock, role):
    with home.services(clock) as services:
        stated(services, 1)
    clock.advance(timedelta(hours=1))
    done = rotate(home.settings(), role, root, Ending(), clock=clock)
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        stated(services, 2)
        services.journal.record(draft("source.blocked"), tenant=TENANT)
        services.ledger.integrate()
        assert standings(services) == {Standing.TRUSTED}
        issuers = services.ledger.issuers(TENANT)
        assert issuers.at(done.old, clock.now())[0] is Standing.REVOKED
        assert issuers.at(done.new, clock.now())[0] is Standing.TRUSTED
        assert issuers.disregarded == ()
        held = {each.key: each for each in services.keys.history(TENANT)}
        assert (held[done.old].state, held[done.old].reason) == (State.REVOKED, "superseded")
        assert services.ledger.audit().failures == ()


def test_a_new_emergency_key_begins_at_one_whatever_the_old_one_stated(home, root, clock):
    with home.services(clock) as services:
        for number in range(3):
            services.journal.record(draft("source.blocked", {"n": number}), tenant=TENANT)
    done = rotate(home.settings(), KeyRole.EMERGENCY, root, Ending(), clock=clock)
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        services.journal.record(draft("source.blocked", {"n": 9}), tenant=TENANT)
        services.ledger.integrate()
        found = [logged.envelope for logged in services.ledger.statements(TENANT)]
        assert [each.statement.issuance.sequence for each in found if each.signer == done.new] == [1]
        assert heartbeat(TENANT, services.ledger.statements(TENANT), services.ledger.head()).claims["gaps"] == 0


def test_a_person_gets_a_new_key_and_the_old_one_states_nothing_more(home, root, clock):
    person = home.people[Role.ENGINEER]
    done = rotate(home.settings(), KeyRole.OPERATOR, root, Ending("lost"), person=person.id, clock=clock)
    path = home.path / "operators" / f"{person.id}.key"
    held = keyfile.load(path, None)
    assert held.secret("token") == person.token.encode()
    with home.services(clock) as services:
        assert services.identity.people.by_id(TENANT, person.id).key == done.new
        envelope, _ = signed(services, person, draft())
        with pytest.raises(Exception, match="revoked"):
            services.outbox.admit(envelope, None, by=home.actor(Role.ENGINEER))


def broken_off(home, root, clock, role, steps):
    """Do the first steps of a rotation, as a process that is killed behind them."""
    place = rotation._place(home_of(home), role, None)
    held = rotation._begun(place, None)
    if steps > 1:
        with home.services(clock) as services:
            old = rotation._enrol(services, root, place, held)
    if steps > 2:
        rotation._switched(place, held, old, None)
    if steps > 3:
        with home.services(clock) as services:
            rotation._revoke(services, root, old, Ending())


def home_of(home):
    return open_home(home.path)


@pytest.mark.parametrize(
    ("role", "steps"),
    [*((KeyRole.CONTROL_PLANE, steps) for steps in (1, 2, 3, 4)), (KeyRole.GATEWAY, 3)],
)
def test_what_was_broken_off_is_finished_and_no_step_leaves_a_signer_that_does_not_count(
    home, root, clock, role, steps
):
    broken_off(home, root, clock, role, steps)
    clock.advance(timedelta(seconds=1))
    with home.services(clock) as services:
        stated(services, 1)
        assert standings(services) == {Standing.TRUSTED}
    clock.advance(timedelta(seconds=1))
    done = rotate(home.settings(), role, root, Ending(), clock=clock)
    clock.advance(timedelta(seconds=1))
    path = home.path / "keys" / ("gateway.json" if role is KeyRole.GATEWAY else "service.json")
    assert not [name for name in keyfile.load(path, None).secrets if name.endswith((NEXT, OLD))]
    with home.services(clock) as services:
        stated(services, 2)
        assert standings(services) == {Standing.TRUSTED}
        found = [each for each in services.keys.history(TENANT) if each.role is role]
        in_force = [each.key for each in found if each.state is State.IN_FORCE]
        assert in_force == [done.new]


def test_while_up_runs_nothing_is_replaced(home, root, clock):
    before = shutil.copytree(home.path / "keys", home.path.parent / "kept")
    running = exclusive(home.path)
    with pytest.raises(Unavailable, match="is running for"):
        rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(), clock=clock)
    assert (before / "service.json").read_bytes() == (home.path / "keys" / "service.json").read_bytes()
    os.close(running)


def test_while_a_gateway_runs_by_itself_nothing_is_replaced(home_now):
    """One that outlived an `up` that was killed would go on closing segments with the old key."""
    root = Ed25519Signer.from_seed(keyfile.load(home_now.path / "keys" / "root.json", None).secret("root"))
    with home_now.services() as services:
        services.serving.turn()
        supervisor = services.serving.supervisor(0, {})
        try:
            assert supervisor.start(), supervisor.because
            with pytest.raises(Unavailable, match="still runs"):
                rotate(home_now.settings(), KeyRole.GATEWAY, root, Ending())
        finally:
            supervisor.stop()


@pytest.mark.parametrize("role", [KeyRole.LEDGER, KeyRole.ROOT])
def test_the_keys_that_outsiders_hold_are_not_replaced_this_way(home, root, role):
    with pytest.raises(UsageError, match="not replaced this way"):
        rotate(home.settings(), role, root, Ending())


def test_the_root_of_another_home_replaces_nothing(home):
    with pytest.raises(UsageError, match="another home"):
        rotate(home.settings(), KeyRole.EMERGENCY, Ed25519Signer.from_seed(bytes(32)), Ending())


def test_a_compromised_key_takes_what_it_signed_since_along(home, root, clock):
    with home.services(clock) as services:
        stated(services, 1)
    clock.advance(timedelta(hours=1))
    since = clock.now()
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        stated(services, 2)
    rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending("compromised", since), clock=clock)
    with home.services(clock) as services:
        found = {
            logged.envelope.statement.claims["n"]: logged.standing
            for logged in services.ledger.statements(TENANT)
            if logged.envelope.statement.predicate == "lab.observed"
        }
    assert found == {1: Standing.TRUSTED, 2: Standing.REVOKED}
