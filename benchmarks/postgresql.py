"""The ledger on PostgreSQL: durable groups of 100 beside bare psycopg, on a server of the benchmark's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ledger import COLUMNS, TENANT, envelopes, rows_of, sequence
from measurement import Row, timed

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.initialise import initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import LogOrigin
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.testing.postgresql import Server, server

if TYPE_CHECKING:
    from psycopg import Connection

PEER = "bare psycopg, executemany, synchronous_commit=on"


@contextmanager
def installation(running: Server, database: str) -> Iterator[Services]:
    """Open a new installation on a database of the server."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        people = [NewPerson.make("Bench", Role.OWNER)]
        initialise(
            home,
            log=LogOrigin("localhost/bench"),
            tenant=TENANT,
            people=people,
            demo=False,
            database=running.url(database),
        )
        with open_services(Settings(home=home)) as services:
            yield services


def insert_bare(bare: "Connection[Any]", rows: list[tuple[object, ...]]) -> None:
    """Commit the rows of a group into a table with the same columns and indexes."""
    marks = ", ".join(["%s"] * len(COLUMNS.split(", ")))
    with bare.transaction(), bare.cursor() as cursor:
        cursor.executemany(f"INSERT INTO bare ({COLUMNS}) VALUES ({marks})".encode(), rows)  # noqa: S608


def measure() -> list[Row]:
    """Commit the same groups in turn: through the outbox, through psycopg alone."""
    ours: list[float] = []
    theirs: list[float] = []
    try:
        with server() as running:
            database = running.create()
            with installation(running, database) as services, running.connect(database) as bare:
                services.ledger.integrate()
                bare.execute("CREATE TABLE bare (LIKE statements INCLUDING ALL)")
                for group in envelopes(services):
                    rows = rows_of(group)
                    ours.append(timed(lambda group=group: sequence(services, group)))
                    theirs.append(timed(lambda rows=rows: insert_bare(bare, rows)))
    except pytest.skip.Exception as missing:
        print(f"ledger on PostgreSQL: not measured: {missing}")
        return []
    note = "PostgreSQL 15 on a socket, fsync on; sequenced: durable in the outbox"
    return [Row("ledger on PostgreSQL, groups of 100", "printed", ours, peer=PEER, theirs=theirs, note=note)]
