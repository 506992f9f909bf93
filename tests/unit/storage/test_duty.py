import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.storage.database import Database
from ringfence.storage.duty import Duty, check_alone, on_duty, place_of, standing_by

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"])


@pytest.fixture
def other(database):
    """The database as another process opens it."""
    opened = Database(database.url)
    yield opened
    opened.close()


@pytest.fixture
def duty():
    """Make turns that end with the test."""
    made = []

    def one(database, place):
        made.append(Duty(database, place))
        return made[-1]

    yield one
    for turn in made:
        turn.leave()


def test_one_of_two_runs_and_the_other_knows_where(database, other, duty):
    first, second = duty(database, "one:/srv/home"), duty(other, "two:/srv/home")
    assert first.take()
    assert first.take()
    assert not second.take()
    assert on_duty(other) == "one:/srv/home"
    assert standing_by(other) == ["two:/srv/home"]
    first.leave()
    assert second.take()
    assert on_duty(database) == "two:/srv/home"
    assert standing_by(database) == []


def test_a_session_that_the_server_ends_frees_the_place_and_is_told(database, other, duty):
    first, second = duty(database, "one"), duty(other, "two")
    assert first.take()
    with other.reading() as connection:
        pids = connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ringfence up one'"
        )
        assert [row[0] for row in pids] == [True]
    while not second.take():  # the server takes a moment
        pass
    with pytest.raises(Unavailable):
        first.take()
    assert not first.take()


def test_beside_one_that_runs_nothing_is_opened(database, other, duty):
    check_alone(other)
    turn = duty(database, "one:/srv/home")
    assert turn.take()
    with pytest.raises(Unavailable, match="runs this installation at one:/srv/home"):
        check_alone(other)
    turn.leave()
    check_alone(other)


def test_a_place_is_as_long_as_the_server_keeps_it(database, other, duty, tmp_path):
    place = place_of(tmp_path / ("ä" * 60))
    turn = duty(database, place)
    assert turn.take()
    assert on_duty(other)
    assert len(on_duty(other)) <= 63
