import sqlite3
import threading

import pytest
from sqlalchemy import event, inspect, select, text

from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable
from ringfence.storage import database as module
from ringfence.storage.database import Database
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, draft


class Stop(Exception):
    """The crash of whoever had the transaction open."""


def count(services):
    with services.database.reading() as connection:
        return len(connection.execute(select(STATEMENTS.c.id)).all())


def test_state_and_statement_commit_together_or_not_at_all(services):
    before, people = count(services), len(services.identity.people.tenants())
    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        services.outbox.record(draft(details={"a": "b"}), tenant=TENANT)
        services.identity.people.add_tenant(
            services.identity.people.tenants()[0].__class__("other", False, services.clock.now())
        )
        raise Stop
    assert count(services) == before
    assert len(services.identity.people.tenants()) == people
    with services.database.transaction():
        services.outbox.record(draft(), tenant=TENANT)
    assert count(services) == before + 1


def test_a_nested_transaction_joins_the_one_that_is_open(services):
    before = count(services)
    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        with services.database.transaction():
            services.outbox.record(draft(), tenant=TENANT)
        raise Stop
    assert count(services) == before


def test_writing_outside_a_transaction_is_an_error_of_ours(services):
    with pytest.raises(InternalError):
        services.outbox.record(draft(), tenant=TENANT)


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


def test_a_missing_database_is_not_made_anew(home):
    (home.path / "ringfence.db").unlink()
    with pytest.raises(Unavailable, match="cannot be opened"), home.services():
        pass
    assert not (home.path / "ringfence.db").exists()


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
