from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from ringfence.kernel.identifier import Tenant
from ringfence.retention.blobs import SideRecords
from ringfence.retention.model import ClassName
from ringfence.retention.ports import Wanted
from ringfence.retention.schedule import shipped
from ringfence.storage.rows import SIDE_RECORDS, STATEMENTS
from ringfence.testing.home import TENANT
from ringfence.testing.retention import PERSONAL, told

DAY = timedelta(days=1)


@pytest.fixture
def records(services):
    return SideRecords(services.database, shipped())


@pytest.mark.databases
def test_details_of_a_class_come_the_oldest_first_and_page_by_page(services, records, clock):
    told(services, "incident.lab")
    mine = []
    for _ in range(3):
        clock.advance(DAY)
        mine.append(told(services))
    kind = ClassName("details-other")
    found = records.older(TENANT, kind, clock.now(), skip=0, limit=2)
    found = [*found, *records.older(TENANT, kind, clock.now(), skip=2, limit=2)]
    assert [item.since for item in found] == [clock.now() - 2 * DAY, clock.now() - DAY, clock.now()]
    assert {item.predicate for item in found} == {"lab.observed"}
    assert len(records.older(TENANT, kind, clock.now() - DAY, skip=0, limit=9)) == 2
    assert records.tally(TENANT)[kind].count == 3


def test_an_item_knows_whom_it_names(services, records):
    envelope = told(services, incident="i-00000001", people=[{"person": "person-0123456789ab"}])
    (item,) = records.about(TENANT, Wanted(statement=envelope), 9)
    assert {PERSONAL, "i-00000001", "person-0123456789ab", "system/lab", str(envelope)} <= item.names


def test_nobody_reaches_into_another_tenant(services, records):
    envelope = told(services)
    (item,) = records.about(TENANT, Wanted(statement=envelope), 9)
    other = Tenant("other")
    assert records.load(other, [item.key]) == []
    assert records.about(other, Wanted(statement=envelope), 9) == []
    with services.database.transaction():
        records.destroy(other, [item])
    assert records.load(TENANT, [item.key]) == [item]


def test_details_that_were_tampered_with_are_still_swept(services, records):
    envelope = told(services)
    with services.database.transaction():
        connection = services.database.connection()
        connection.execute(update(SIDE_RECORDS).values(opening=b"short"))
        connection.execute(update(STATEMENTS).where(STATEMENTS.c.digest == envelope.value).values(envelope=b"{}"))
    (item,) = records.about(TENANT, Wanted(statement=envelope), 9)
    assert item.names == frozenset()
    with services.database.transaction():
        records.destroy(TENANT, [item])
    assert records.load(TENANT, [item.key]) == []


@pytest.mark.databases
def test_the_migration_gives_older_details_their_age(services, clock):
    """The columns are filled from the statements, as a database of before is."""
    from importlib import import_module

    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    clock.advance(DAY)
    envelope = told(services)
    with services.database.transaction():
        connection = services.database.connection()
        expected = connection.execute(select(SIDE_RECORDS).order_by(SIDE_RECORDS.c.commitment)).all()
        connection.execute(text("UPDATE side_records SET statement = commitment, predicate = '', since = 0"))
        migration = import_module("ringfence.storage.migrations.versions.0007_retention")
        with Operations.context(MigrationContext.configure(connection)):
            migration._ages()
        assert connection.execute(select(SIDE_RECORDS).order_by(SIDE_RECORDS.c.commitment)).all() == expected
    assert envelope.value in {row.statement for row in expected}
