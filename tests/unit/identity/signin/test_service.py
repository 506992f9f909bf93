from datetime import timedelta

import pytest

from ringfence.identity.signin.model import FRESH, Owner
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import NotFound, Refused, Unauthenticated
from ringfence.testing.signin import enrol


def test_a_token_says_less_than_a_passkey(enrolled, home):
    caller = enrolled.by_token(home.actor(), "")
    assert (caller.assurance.level, caller.assurance.stepped_up, caller.assurance.has_passkey) == (
        Level.TOKEN,
        False,
        True,
    )


def test_a_code_of_the_console_confirms_its_own_persons_token_for_minutes(enrolled, home, owner, clock):
    code = enrolled.confirm_terminal(owner)
    assert enrolled.by_token(home.actor(), code).assurance.stepped_up
    assert not enrolled.by_token(home.actor(Role.ENGINEER), code).assurance.stepped_up
    assert not enrolled.by_token(home.actor(), code + "x").assurance.stepped_up
    clock.advance(FRESH)
    assert not enrolled.by_token(home.actor(), code).assurance.stepped_up


def test_a_code_for_a_terminal_is_no_session_no_token_and_no_link(enrolled, owner, services):
    code = enrolled.confirm_terminal(owner)
    with pytest.raises(Unauthenticated):
        enrolled.sessions.caller(code)
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(token=code)
    with pytest.raises(Unauthenticated):
        services.identity.redeem(code)


def test_a_reset_leaves_no_way_in_and_is_stated(enrolled, key, owner, other, home, site, stated, clock):
    enrol(enrolled, type(key)(site.origin), other, site)
    enrolled.codes.issue_recovery(other)
    session = enrolled.sessions.open(other, Level.PASSKEY)
    clock.advance(timedelta(seconds=1))
    assert enrolled.reset(other, by=home.actor()) == 1
    with pytest.raises(Unauthenticated):
        enrolled.sessions.caller(session)
    assert not enrolled.passkeys.passkeys.of(other)
    assert not enrolled.codes.codes.recovery(other)
    assert len(enrolled.passkeys.passkeys.of(owner)) == 1
    (statement,) = stated("passkey.removed")
    assert (statement.claims["removedBy"], statement.claims["reason"]) == (owner.person, "reset")


def test_nobody_resets_themselves_nor_another_tenants_people(enrolled, owner, other, home):
    with pytest.raises(Refused):
        enrolled.reset(owner, by=home.actor())
    with pytest.raises(NotFound):
        enrolled.reset(Owner("other", other.person), by=home.actor())
