"""Bring a database to the tables of this version; Alembic does the work.

Opening a database that is already current costs one query; Alembic itself is loaded only when something is to do.
"""

from importlib import resources

from sqlalchemy import inspect, text

from ringfence.kernel.errors import Unavailable
from ringfence.storage.database import Database

HEAD = "0007"


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
