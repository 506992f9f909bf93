"""What each database raises for real becomes one sentence; see also test_database.py."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ringfence.kernel.errors import InternalError, MalformedInput, RingfenceError, Unavailable
from ringfence.storage.database import Database
from ringfence.storage.failures import explained_driver, translated_errors
from ringfence.storage.location import checked


@pytest.fixture
def on_postgresql(postgresql):
    name = postgresql.create()
    opened = Database(checked(postgresql.url(name)))
    yield opened
    opened.close()
    postgresql.drop(name)


def run(database, statement, **values):
    with database.transaction():
        return database.connection().execute(text(statement), values).all()


@pytest.mark.parametrize(
    ("state", "kind", "match"),
    [
        ("08006", Unavailable, "cannot be reached"),
        ("25006", Unavailable, "standby"),
        ("28P01", Unavailable, "password"),
        ("40001", Unavailable, "another writer was faster"),
        ("40P01", Unavailable, "another writer was faster"),
        ("42501", Unavailable, "own the database"),
        ("42P01", Unavailable, "ringfence init"),
        ("53100", Unavailable, "disk of the database server is full"),
        ("53300", Unavailable, "connections"),
        ("55P03", Unavailable, "locked by another process"),
        ("57P01", Unavailable, "ended the connection"),
        ("58030", Unavailable, "reported an error"),
        ("XX001", Unavailable, "damaged"),
        ("22021", MalformedInput, "may not hold"),
        ("42601", InternalError, "42601"),
    ],
)
def test_each_state_of_postgresql_is_one_sentence(on_postgresql, state, kind, match):
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'person-0123456789ab' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(RingfenceError, match=match) as caught, on_postgresql.transaction():
        on_postgresql.connection().execute(text(raised))
    assert type(caught.value) is kind


def test_no_row_of_the_database_stands_in_an_error(on_postgresql):
    with pytest.raises(InternalError) as caught:
        run(on_postgresql, "SELECT CAST(:value AS bigint) / 0", value=1)
    assert "division by zero" in str(caught.value)
    with pytest.raises(RingfenceError) as caught, on_postgresql.transaction():  # noqa: PT012
        on_postgresql.connection().execute(text("CREATE TEMP TABLE x (a text UNIQUE)"))
        for _ in range(2):
            on_postgresql.connection().execute(text("INSERT INTO x VALUES ('person-0123456789ab')"))
    assert "person" not in str(caught.value)


def test_text_that_cannot_be_kept_is_the_requests_fault(on_postgresql):
    with pytest.raises(MalformedInput, match="may not hold"):
        run(on_postgresql, "SELECT CAST(:value AS text)", value="a\0b")


def test_a_server_that_is_not_there_is_one_sentence(tmp_path):
    database = Database(checked(f"postgresql://ringfence@/evidence?host={tmp_path}"))
    with pytest.raises(Unavailable, match="cannot be reached"), database.reading():
        pass
    database.close()


def test_a_database_or_role_that_is_not_there_is_one_sentence(postgresql):
    for url in (postgresql.url("nowhere"), postgresql.url("postgres").replace("ringfence@", "nobody@")):
        database = Database(checked(url))
        with pytest.raises(Unavailable, match=r"no database of that name|refuses this role"):
            run(database, "SELECT 1")
        database.close()


def test_whoever_waits_for_a_connection_too_long_is_told_so():
    with pytest.raises(Unavailable, match="too many commands"), translated_errors():
        raise PoolTimeout


def test_a_driver_that_is_missing_names_the_extra():
    with pytest.raises(Unavailable, match=r"ringfence\[postgresql\]") as caught, explained_driver():
        raise ModuleNotFoundError("No module named 'psycopg'")
    assert caught.value.exit_code == 4


def test_what_was_being_written_when_the_server_went_is_not_said_to_be_there(on_postgresql, postgresql):
    with pytest.raises(Unavailable, match="ended the connection"), on_postgresql.transaction():  # noqa: PT012
        connection = on_postgresql.connection()
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        postgresql.execute(f"SELECT pg_terminate_backend({mine})")
        connection.execute(text("SELECT 1"))
    run(on_postgresql, "SELECT 1")  # the next one has a new connection
