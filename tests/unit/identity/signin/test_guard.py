from datetime import timedelta

import pytest

from ringfence.identity.signin.lockout import PERSON, PLACE
from ringfence.kernel.errors import TooManyAttempts


@pytest.fixture
def guard(signin):
    return signin.guard


def used_up(guard, limit, **subject):
    for _ in range(limit.free):
        guard.enter(**subject)


def test_a_person_is_guessed_at_a_few_times_and_then_waited_for(guard, clock):
    used_up(guard, PERSON, person="person-1")
    with pytest.raises(TooManyAttempts, match="in 30 s"):
        guard.enter(person="person-1")
    guard.enter(person="person-2")
    clock.advance(PERSON.first)
    guard.enter(person="person-1")
    with pytest.raises(TooManyAttempts, match="in 60 s"):
        guard.enter(person="person-1")


def test_a_place_that_tries_many_people_is_slowed_down_too(guard):
    for number in range(PLACE.free):
        guard.enter(person=f"person-{number}", place="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        guard.enter(person="somebody else", place="192.0.2.1")
    guard.enter(person="somebody else", place="192.0.2.2")


def test_an_attempt_that_comes_too_early_costs_no_more_waiting(guard, clock):
    used_up(guard, PERSON, person="p")
    for _ in range(50):
        with pytest.raises(TooManyAttempts):
            guard.enter(person="p")
    clock.advance(PERSON.first)
    guard.enter(person="p")


def test_what_was_right_is_taken_back(guard):
    used_up(guard, PERSON, person="p")
    guard.right(person="p")
    used_up(guard, PERSON, person="p")


def test_who_lets_themselves_in_takes_back_no_guess_at_others(guard):
    """One good account must not buy its holder another thirty guesses at everybody else's."""
    for number in range(PLACE.free - 1):
        guard.enter(person=f"person-{number}", place="192.0.2.1")
    guard.enter(person="my own", place="192.0.2.1")
    guard.right(person="my own", place="192.0.2.1")
    guard.enter(person="somebody else", place="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        guard.enter(person="another one", place="192.0.2.1")


def test_a_place_where_everybody_is_right_is_never_slowed_down(guard):
    for number in range(2 * PLACE.free):
        guard.enter(person=f"person-{number}", place="192.0.2.1")
        guard.right(person=f"person-{number}", place="192.0.2.1")


def test_many_at_once_gain_nothing(guard):
    """Each attempt is counted before it is looked at."""
    looked_at = 0
    for _ in range(100):
        try:
            guard.enter(person="p")
        except TooManyAttempts:
            continue
        looked_at += 1
    assert looked_at == PERSON.free


def test_neither_place_nor_person_stands_in_the_database(guard, services, home, clock):
    guard.enter(person="person-fedcba987654", place="192.0.2.77")
    services.database.close()
    kept = home.stored()
    assert b"192.0.2.77" not in kept
    assert b"person-fedcba987654" not in kept
    clock.advance(timedelta(days=2))
    guard.enter(person="another")
    assert guard.book.read(guard.vault.mark("person\nperson-fedcba987654")) is None
