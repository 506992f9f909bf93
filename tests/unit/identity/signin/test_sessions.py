from datetime import timedelta

import pytest

from ringfence.identity.service import hashed
from ringfence.identity.signin.model import FRESH, IDLE
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import NotFound, Unauthenticated


@pytest.fixture
def desk(signin):
    return signin.sessions


@pytest.mark.parametrize("level", Level)
def test_a_session_says_how_its_owner_came_in(desk, owner, level):
    caller = desk.caller(desk.open(owner, level))
    assert (caller.person.id, caller.assurance.level) == (owner.person, level)
    assert caller.assurance.stepped_up is (level is Level.PASSKEY)
    assert not caller.assurance.has_passkey


def test_a_raise_makes_a_new_secret_and_the_old_one_is_worth_nothing(desk, owner, clock):
    """Fixation: whoever planted or saw the secret of before has nothing after."""
    planted = desk.open(owner, Level.LINK)
    clock.advance(timedelta(minutes=1))
    fresh = desk.confirmed(planted, owner)
    assert desk.caller(fresh).assurance.stepped_up
    with pytest.raises(Unauthenticated):
        desk.caller(planted)
    with pytest.raises(Unauthenticated):
        desk.confirmed(planted, owner)
    assert desk.session(fresh).opened_at == clock.now() - timedelta(minutes=1)  # it gets no older by it


def test_signing_in_ends_what_the_browser_had(desk, owner, other):
    before = desk.open(other, Level.PASSKEY)
    desk.open(owner, Level.LINK, instead_of=before)
    with pytest.raises(Unauthenticated):
        desk.caller(before)


def test_a_confirmation_ends_while_the_session_goes_on(desk, owner, clock):
    secret = desk.open(owner, Level.PASSKEY)
    clock.advance(FRESH)
    assert not desk.caller(secret).assurance.stepped_up


def test_use_keeps_a_session_and_disuse_ends_it(desk, owner, clock):
    secret = desk.open(owner, Level.LINK)
    for _ in range(3):
        clock.advance(IDLE - timedelta(seconds=1))
        desk.caller(secret)
    clock.advance(IDLE)
    with pytest.raises(Unauthenticated):
        desk.caller(secret)
    assert desk.of(owner) == []


def test_a_session_of_somebody_whose_access_ended_is_none(desk, services, home, owner):
    secret = desk.open(owner, Level.PASSKEY)
    services.identity.revocations.revoke(home.people[Role.OWNER].id)
    with pytest.raises(Unauthenticated):
        desk.caller(secret)


@pytest.mark.parametrize("secret", ["", "x", "é" * 100])
def test_what_is_no_secret_opens_nothing(desk, secret):
    with pytest.raises(Unauthenticated):
        desk.caller(secret)


def test_people_end_their_own_sessions_one_or_all(desk, owner, other):
    first, second, third = (desk.open(owner, Level.LINK) for _ in range(3))
    theirs = desk.open(other, Level.LINK)
    desk.end(first)
    shown = next(each for each in desk.of(owner) if each.secret_hash == hashed(second))
    with pytest.raises(NotFound):
        desk.end_one(other, shown.id)
    desk.end_one(owner, shown.id)
    assert [each.secret_hash for each in desk.of(owner)] == [hashed(third)]
    assert desk.end_all(owner) == 1
    assert desk.caller(theirs).person.id == other.person


def test_what_names_a_session_on_a_page_opens_nothing(desk, owner):
    desk.open(owner, Level.LINK)
    (shown,) = desk.of(owner)
    with pytest.raises(Unauthenticated):
        desk.caller(shown.id)


def test_nobody_raises_the_session_of_somebody_else(desk, owner, other):
    """A stolen session does no dangerous act by the passkey of the thief."""
    stolen = desk.open(owner, Level.TOTP)
    with pytest.raises(Unauthenticated):
        desk.confirmed(stolen, other)
    assert desk.caller(stolen).assurance.level is Level.TOTP
