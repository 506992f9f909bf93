"""Bring a database to the tables of this version; Alembic does the work.

Opening a database that is already current costs one query; Alembic itself is loaded only when something is to do.
"""

from importlib import resources

from sqlalchemy import Connection, inspect, text

from ringfence.kernel.errors import Unavailable
from ringfence.storage.database import METADATA, Database

HEAD = "0011"


def version(database: Database) -> str | None:
    """Return the version of the tables; None where there are none."""
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())


def upgrade(database: Database, *, fresh: bool = False) -> None:
    """Bring the tables to `HEAD`.

    Raises:
        Unavailable: they come from a later Ringfence; or there are none, and the database is not a `fresh` one.
    """
    found = version(database)
    if found == HEAD:
        return
    if found is None and not fresh:
        raise Unavailable("the database is empty, and it should not be: restore it from a backup")
    if found is not None and found > HEAD:
        raise Unavailable(f"the database is of a later Ringfence (version {found}); this one knows {HEAD}: upgrade it")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("ringfence.storage") / "migrations"))
    with database.transaction():
        config.attributes["connection"] = database.connection()
        command.upgrade(config, "head")
        if database.is_postgresql:
            _as_in_sqlite(database.connection())


_NARROW = text(
    """
    SELECT c.relname AS "table", a.attname AS "column", t.typname AS kind,
           pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS numbers
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped
      AND (t.typname = 'int4' OR (t.typname IN ('varchar', 'text') AND o.collname <> 'C'))
    ORDER BY c.relname, a.attname
    """
)


def _as_in_sqlite(connection: Connection) -> None:
    """Give PostgreSQL's columns what SQLite's have: text of any length in the order of its bytes, integers of 64 bits.

    What is too long or too large is refused where input is parsed, the same on both.
    """
    quoted = connection.dialect.identifier_preparer.quote
    for table, column, kind, numbers in connection.execute(_NARROW).all():
        wide = "bigint" if kind == "int4" else 'text COLLATE "C"'
        change = f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} TYPE {wide}"
        connection.exec_driver_sql(change)
        if numbers is not None:
            connection.exec_driver_sql(f"ALTER SEQUENCE {numbers} AS bigint")


def clear(database: Database) -> None:
    """Drop every table, where making an installation in an empty database failed."""
    with database.transaction():
        connection = database.connection()
        for table in inspect(connection).get_table_names():
            if table in METADATA.tables or table == "alembic_version":
                connection.exec_driver_sql(f"DROP TABLE {connection.dialect.identifier_preparer.quote(table)}")
