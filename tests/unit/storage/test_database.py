import sqlite3
import threading

import pytest
from sqlalchemy import event, inspect, select, text

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.identity.store import TENANTS
from ringfence.initialise import initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, InternalError, RingfenceError, Unavailable, UsageError
from ringfence.settings import Settings
from ringfence.storage import database as module
from ringfence.storage.database import Database
from ringfence.storage.location import checked
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import LOG, TENANT, observed
from ringfence.testing.postgresql import Server, folder, running


class Stop(Exception):
    """The crash of whoever had the transaction open."""


def count(services):
    with services.database.reading() as connection:
        return len(connection.execute(select(STATEMENTS.c.id)).all())


def test_state_and_statement_commit_together_or_not_at_all(services):
    before, people = count(services), len(services.identity.people.tenants())
    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        services.outbox.record(observed(details={"a": "b"}), tenant=TENANT)
        services.identity.people.add_tenant(
            services.identity.people.tenants()[0].__class__("other", False, services.clock.now())
        )
        raise Stop
    assert count(services) == before
    assert len(services.identity.people.tenants()) == people
    with services.database.transaction():
        services.outbox.record(observed(), tenant=TENANT)
    assert count(services) == before + 1


def test_a_nested_transaction_joins_the_one_that_is_open(services):
    before = count(services)
    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        with services.database.transaction():
            services.outbox.record(observed(), tenant=TENANT)
        raise Stop
    assert count(services) == before


def test_writing_outside_a_transaction_is_an_error_of_ours(services):
    with pytest.raises(InternalError):
        services.outbox.record(observed(), tenant=TENANT)


def test_other_threads_do_not_join(services):
    seen = []

    def look():
        with pytest.raises(InternalError):
            services.database.connection()
        seen.append(True)

    with services.database.transaction():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.mark.sqlite
def test_every_commit_is_durable(services):
    with services.database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


@pytest.fixture
def impatient(services):
    """The database of `services`, which now gives up on a lock after 50 ms."""
    services.database._engine.dispose()
    event.listen(services.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    return services.database


@pytest.mark.sqlite
def test_a_lock_of_another_process_is_one_sentence(home, impatient):
    other = sqlite3.connect(home.path / "ringfence.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable, match="locked by another process"), impatient.transaction():
            pass
        with impatient.reading() as connection:  # readers are not kept out
            assert connection.execute(select(STATEMENTS.c.id)).first()
    finally:
        other.close()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 20])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    (tmp_path / "x.db").write_bytes(content)
    broken = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Unavailable, match="damaged"), broken.transaction():
        pass
    broken.close()


@pytest.mark.sqlite
def test_a_missing_database_is_not_made_anew(home):
    (home.path / "ringfence.db").unlink()
    with pytest.raises(Unavailable, match="cannot be opened"), home.services():
        pass
    assert not (home.path / "ringfence.db").exists()


@pytest.mark.sqlite
def test_an_empty_database_is_refused(home):
    for file in home.path.glob("ringfence.db*"):
        file.unlink()
    (home.path / "ringfence.db").touch()
    with pytest.raises(Unavailable, match="restore it from a backup"), home.services():
        pass


def test_a_later_version_is_refused(home, services):
    with services.database.transaction():
        services.database.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="later Ringfence"), home.services():
        pass


def test_the_migrations_make_the_tables_that_the_code_declares(services):
    with services.database.reading() as connection:
        found = inspect(connection)
        for name, table in module.METADATA.tables.items():
            assert {column["name"] for column in found.get_columns(name)} == set(table.columns.keys())
            assert {tuple(sorted(unique["column_names"])) for unique in found.get_unique_constraints(name)} == {
                tuple(sorted(column.name for column in constraint.columns))
                for constraint in table.constraints
                if constraint.__class__.__name__ == "UniqueConstraint"
            }


def test_what_the_driver_says_unexpectedly_stays_in_the_family(services):
    with pytest.raises(RingfenceError), services.database.reading() as connection:
        connection.execute(text("SELECT * FROM nowhere"))


@pytest.mark.sqlite
def test_nothing_of_deleted_rows_is_left_beside_the_tables(services, home):
    mark, wal = "q7Zp-only-here", home.path / "ringfence.db-wal"
    with services.database.transaction():
        rows = [{"tenant": mark, "demo": False, "created_at": 1}]
        services.database.connection().execute(TENANTS.insert(), rows)
    with services.database.transaction():
        services.database.connection().execute(TENANTS.delete().where(TENANTS.c.tenant == mark))
    assert mark.encode() in wal.read_bytes()
    assert services.database.scrub()
    assert wal.stat().st_size == 0
    assert mark.encode() not in (home.path / "ringfence.db").read_bytes()


@pytest.mark.sqlite
def test_emptying_the_log_waits_for_no_reader(services):
    with services.database.transaction():
        services.database.connection().execute(TENANTS.insert(), [{"tenant": "x", "demo": False, "created_at": 1}])
    with services.database.reading() as connection:
        connection.execute(select(TENANTS)).all()
        with services.database.transaction():
            services.database.connection().execute(TENANTS.delete().where(TENANTS.c.tenant == "x"))
        assert not services.database.scrub()
    assert services.database.scrub()


# PostgreSQL


def test_columns_hold_the_same_on_both(postgresql, made_tables_on_postgresql):
    """Text of any length in the order of its bytes, integers of 64 bits: what SQLite keeps."""
    query = """
        SELECT DISTINCT data_type, collation_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    """
    found = set(postgresql.execute(query, database=postgresql.create(template=made_tables_on_postgresql)))
    assert found == {("bigint", None), ("boolean", None), ("bytea", None), ("text", "C")}


@pytest.mark.databases
def test_text_of_any_length_comes_back_in_the_order_of_its_bytes(database):
    names = ["b", "B", "a", "Z", "ä", "aa", "_", "x" * 5000]
    with database.transaction():
        rows = [{"tenant": f"{name}", "demo": False, "created_at": 2**40} for name in names]
        database.connection().execute(TENANTS.insert(), rows)
    with database.reading() as connection:
        found = connection.execute(select(TENANTS.c.tenant).order_by(TENANTS.c.tenant)).scalars().all()
    assert found == sorted(names, key=str.encode)


@pytest.mark.databases
def test_a_failed_attempt_leaves_the_transaction_as_it_was(database):
    values = {"tenant": "one", "demo": False, "created_at": 1}
    with database.transaction():
        database.connection().execute(TENANTS.insert(), [values])
        with pytest.raises(Conflict, match="taken"), database.attempting("taken") as connection:
            connection.execute(TENANTS.insert(), [values])
        database.connection().execute(TENANTS.insert(), [{**values, "tenant": "two"}])
    with database.reading() as connection:
        assert len(connection.execute(select(TENANTS)).all()) == 2


def test_a_server_that_may_forget_is_refused():
    with folder() as place, running(Server(place, settings={"fsync": "off"})) as careless:
        opened = Database(checked(careless.url("postgres")))
        with pytest.raises(Unavailable, match="runs with fsync off"), opened.reading():
            pass
        opened.close()


@pytest.mark.parametrize("name", ["synchronous_commit", "lock_timeout", "idle_in_transaction_session_timeout"])
def test_a_session_says_how_it_wants_to_be_treated(services_on_postgresql, name):
    with services_on_postgresql.reading() as connection:
        found = connection.execute(text(f"SHOW {name}")).scalar()
    assert found == {"synchronous_commit": "on", "lock_timeout": "15s"}.get(name, "1min")


@pytest.fixture
def services_on_postgresql(postgresql):
    name = postgresql.create()
    opened = Database(checked(postgresql.url(name)))
    yield opened
    opened.close()
    postgresql.drop(name)


def test_an_installation_is_made_in_an_empty_database_only(postgresql, tmp_path, clock):
    name = postgresql.create()
    url = postgresql.url(name)
    made = {"log": LOG, "tenant": TENANT, "people": [NewPerson.make("A", Role.OWNER)], "demo": False, "clock": clock}
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="exists already"):  # the last step fails: nothing is left in the database
        initialise(tmp_path / "one", **made, database=url, trust_to=tmp_path / "taken")
    assert postgresql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=name) == []
    initialise(tmp_path / "one", **made, database=url)
    assert not (tmp_path / "one" / "ringfence.db").exists()
    with pytest.raises(UsageError, match="holds an installation already"):
        initialise(tmp_path / "two", **made, database=url)
    assert not (tmp_path / "two").exists()
    with open_services(Settings(home=tmp_path / "one"), clock=clock) as services:
        assert services.ledger.audit().failures == ()
