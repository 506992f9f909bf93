from datetime import timedelta

import pytest

from ringfence.identity.signin.lockout import PERSON
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import TooManyAttempts
from ringfence.testing.home import TENANT


@pytest.fixture
def guess(services):
    def times(count, person):
        for _ in range(count):
            services.signin.guard.enter(person=person, place="192.0.2.9")

    return times


def stated(services):
    services.ledger.integrate()
    return [one.envelope.statement.claims for one in services.ledger.statements(TENANT, ("person.locked",))]


def test_whom_somebody_guesses_at_is_stated(services, home, guess):
    person = home.people[Role.ENGINEER].id
    lockouts = services.lockouts
    guess(PERSON.free - 1, person)
    assert lockouts() == 0
    guess(1, person)
    with pytest.raises(TooManyAttempts):
        guess(1, person)
    assert lockouts() == 1
    assert stated(services) == [{"person": person, "failures": 5, "waitSeconds": 30}]


def test_it_is_stated_once_an_hour_however_much_is_tried_also_after_a_restart(services, home, guess, clock):
    person = home.people[Role.ENGINEER].id
    lockouts = services.lockouts
    guess(PERSON.free, person)
    for _ in range(3):
        lockouts()
        services.lockouts()  # as after a restart: the log knows
        clock.advance(timedelta(minutes=9))
        guess(1, person)
    assert len(stated(services)) == 1
    clock.advance(timedelta(hours=1))
    assert lockouts() == 0  # nobody guesses any more
    guess(1, person)
    lockouts()
    assert [one["failures"] for one in stated(services)] == [5, 9]


def test_strangers_ids_and_people_who_left_make_no_statement(services, home, guess):
    left = home.people[Role.ENGINEER].id
    services.identity.remove(left, by=home.actor(), left_at=None, reason="left")
    for person in ("person-ffffffffffff", "nonsense", left):
        guess(PERSON.free, person)
    assert services.lockouts() == 0
    assert stated(services) == []
