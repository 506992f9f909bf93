from datetime import timedelta

import pytest

from ringfence.identity.signin.model import Ceremony, Kind
from ringfence.identity.signin.store import CeremonyTable

pytestmark = pytest.mark.databases


@pytest.fixture
def table(services):
    return CeremonyTable(services.database, most=3)


@pytest.fixture
def put(table, services, clock):
    def one(number, kind=Kind.SIGN_IN, message=b"m"):
        until = clock.now() + timedelta(minutes=5)
        with services.database.transaction():
            table.put(Ceremony(kind, bytes([number]) * 32, message, until), now=clock.now())

    return one


@pytest.fixture
def take(table, services):
    def one(number, kind=Kind.SIGN_IN):
        with services.database.transaction():
            return table.take(kind, bytes([number]) * 32)

    return one


def test_a_question_is_taken_once_and_by_its_kind(put, take):
    put(1)
    assert take(1, Kind.ENROL) is None
    assert take(1).message == b"m"
    assert take(1) is None


def test_the_newest_question_of_a_browser_counts(put, take):
    put(1, message=b"old")
    put(1, message=b"new")
    assert take(1).message == b"new"
    assert take(1) is None


def test_strangers_fill_nothing_up(put, take, clock):
    for number in range(1, 8):
        put(number)
        clock.advance(timedelta(seconds=1))
    assert [take(number) is not None for number in range(1, 8)] == [False] * 4 + [True] * 3


def test_what_ended_is_gone(put, take, clock):
    put(1)
    clock.advance(timedelta(minutes=5))
    put(2)
    assert take(1) is None
    assert take(2) is not None
