import os
import shutil
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ringfence import rotation
from ringfence.frontends.client import Client
from ringfence.installation import open_home
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.audit import heartbeat
from ringfence.ledger.model import Standing
from ringfence.rotation import Ending, rotate
from ringfence.signing.custody import State
from ringfence.signing.process import exclusive
from ringfence.storage import keyfile
from ringfence.storage.replacement import is_begun
from ringfence.storage.signer import Ed25519Signer
from ringfence.storage.tokens import TokenPlace
from ringfence.storage.tokensigner import TokenKey
from ringfence.testing.home import TENANT, draft, observed, signed
from ringfence.testing.tenancy import root_of


@pytest.fixture
def root(home):
    return root_of(home).signer


def stated(services, number):
    with services.database.transaction():
        services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
    services.ledger.integrate()


def standings(services):
    return {logged.standing for logged in services.ledger.statements(TENANT)}


def place_in(token):
    """A token, without the name of a key in it."""
    return TokenPlace(token.module, token.label, token.pin_file, "")


@pytest.mark.parametrize(
    ("role", "in_token"),
    [
        (KeyRole.CONTROL_PLANE, False),
        (KeyRole.EMERGENCY, False),
        (KeyRole.GATEWAY, False),
        (KeyRole.CONTROL_PLANE, True),
        (KeyRole.EMERGENCY, True),
    ],
)
def test_a_new_key_takes_over_and_everything_old_still_counts(home, root, clock, role, in_token, request):
    into = place_in(request.getfixturevalue("software_token")) if in_token else None
    with home.services(clock) as services:
        stated(services, 1)
    clock.advance(timedelta(hours=1))
    done = rotate(home.settings(), role, root, Ending(), into=into, clock=clock)
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
        assert held[done.new].kept[-1].custody == ("pkcs11" if in_token else "file-plain")
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


def broken_off(home, root, clock, role, steps, into=None):
    """Do the first steps of a rotation, as a process that is killed behind them."""
    place = rotation._place(home_of(home), role, None)
    held = rotation._begun(place, None, into)
    if steps > 1:
        with home.services(clock) as services:
            old = rotation._enrol(services, root, place, held)
    if steps > 2:
        rotation._switched(place, held, old, None)
    if steps > 3:
        with home.services(clock) as services:
            rotation._revoke(services, root, old, Ending())


def test_from_token_to_token_the_old_pair_is_destroyed(home, root, clock, software_token):
    rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(), into=place_in(software_token), clock=clock)
    before = TokenKey.parse(keyfile.load(home.path / "keys" / "service.json", None).secret("control-plane.token"))
    clock.advance(timedelta(hours=1))
    done = rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(), clock=clock)
    assert done.custody == "pkcs11"
    assert done.old == key_id_of(before.public_key) != done.new
    with pytest.raises(NotFound, match="holds no key"):
        before.check()


@pytest.mark.parametrize("role", [KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY])
def test_a_token_that_is_lost_does_not_keep_its_key_from_being_replaced(
    home, root, clock, software_token, tmp_path, role
):
    pin = tmp_path / "pin"
    pin.write_bytes(software_token.pin_file.read_bytes())
    pin.chmod(0o600)
    rotate(home.settings(), role, root, Ending(), into=place_in(replace(software_token, pin_file=pin)), clock=clock)
    pin.unlink()
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        if role is KeyRole.EMERGENCY:
            services.journal.record(draft("source.blocked"), tenant=TENANT)  # acts, and waits for a signature
        else:
            with pytest.raises(Unavailable, match="nothing can be signed now"):
                stated(services, 1)
    done = rotate(home.settings(), role, root, Ending("lost"), into="file", clock=clock)
    assert done.custody == "file-plain"
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        stated(services, 2)
        services.journal.record(draft("source.blocked", {"n": 2}), tenant=TENANT)
        services.ledger.integrate()
        assert standings(services) == {Standing.TRUSTED}


def test_a_person_s_key_in_a_token_states_what_the_person_does(home, root, clock, software_token):
    person = home.people[Role.ENGINEER]
    into = place_in(software_token)
    done = rotate(home.settings(), KeyRole.OPERATOR, root, Ending(), person=person.id, into=into, clock=clock)
    path = home.path / "operators" / f"{person.id}.key"
    assert set(keyfile.load(path, None).secrets) == {"signing.token", "token"}
    signer = Client(None, replace(home.settings(), operator=person.id)).signer()
    assert signer.key == done.new
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        envelope, _ = signed(services, SimpleNamespace(signer=signer), draft())
        with services.database.transaction():
            services.outbox.admit(envelope, None, by=home.actor(Role.ENGINEER))


def test_the_gateway_s_key_stays_in_a_file(home, root, clock, software_token):
    with pytest.raises(UsageError, match="stays in a file"):
        rotate(home.settings(), KeyRole.GATEWAY, root, Ending(), into=place_in(software_token), clock=clock)


def home_of(home):
    return open_home(home.path)


@pytest.mark.parametrize(
    ("role", "steps", "in_token"),
    [
        *((KeyRole.CONTROL_PLANE, steps, False) for steps in (1, 2, 3, 4)),
        (KeyRole.GATEWAY, 3, False),
        *((KeyRole.CONTROL_PLANE, steps, True) for steps in (1, 3)),
    ],
)
def test_what_was_broken_off_is_finished_and_no_step_leaves_a_signer_that_does_not_count(
    home, root, clock, role, steps, in_token, request
):
    into = place_in(request.getfixturevalue("software_token")) if in_token else None
    broken_off(home, root, clock, role, steps, into)
    clock.advance(timedelta(seconds=1))
    with home.services(clock) as services:
        stated(services, 1)
        assert standings(services) == {Standing.TRUSTED}
    clock.advance(timedelta(seconds=1))
    done = rotate(home.settings(), role, root, Ending(), clock=clock)
    clock.advance(timedelta(seconds=1))
    path = home.path / "keys" / ("gateway.json" if role is KeyRole.GATEWAY else "service.json")
    assert not is_begun(keyfile.load(path, None).secrets, role.value)
    assert done.custody == ("pkcs11" if in_token else "file-plain")
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


def test_a_command_that_is_under_way_keeps_its_keys_to_the_end(home, root, clock):
    """It would sign with an old key what is recorded after that key's revocation, and count for nothing."""
    with home.services(clock) as services:
        with pytest.raises(Unavailable, match="a command of Ringfence is under way"):
            rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(), clock=clock)
        stated(services, 1)
        assert standings(services) == {Standing.TRUSTED}


def test_while_a_gateway_runs_by_itself_nothing_is_replaced(home_now):
    """One that outlived an `up` that was killed would go on closing segments with the old key."""
    root = root_of(home_now).signer
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


@pytest.mark.parametrize(("reason", "older"), [("superseded", Standing.TRUSTED), ("compromised", Standing.UNPROVEN)])
def test_an_ended_key_takes_what_it_signed_since_along(home, root, clock, reason, older):
    """And a compromised one what is older too, where nobody but the operator says that it is."""
    with home.services(clock) as services:
        stated(services, 1)
    clock.advance(timedelta(hours=1))
    since = clock.now()
    clock.advance(timedelta(hours=1))
    with home.services(clock) as services:
        stated(services, 2)
    rotate(home.settings(), KeyRole.CONTROL_PLANE, root, Ending(reason, since), clock=clock)
    with home.services(clock) as services:
        found = {
            logged.envelope.statement.claims["n"]: logged.standing
            for logged in services.ledger.statements(TENANT)
            if logged.envelope.statement.predicate == "lab.observed"
        }
    assert found == {1: older, 2: Standing.REVOKED}
