from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, select

from ringfence.kernel.clock import to_millis
from ringfence.kernel.identifier import Tenant
from ringfence.retention.model import ClassName, Tally
from ringfence.retention.ports import Wanted
from ringfence.testing.home import TENANT
from ringfence.workloads.aging import AgedRows

pytestmark = pytest.mark.databases
AT = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
KIND = ClassName("sessions")
ROWS = Table(
    "aged",
    MetaData(),
    Column("tenant", String(32), primary_key=True),
    Column("hash", LargeBinary(32), primary_key=True),
    Column("person", String(32), nullable=False),
    Column("name", String(32), nullable=False),
    Column("at", BigInteger),
)


@pytest.fixture
def rows(database):
    with database.transaction():
        ROWS.create(database.connection())
        values = [
            {"tenant": TENANT, "hash": bytes([n]), "person": f"p{n}", "name": "Ada", "at": to_millis(AT + n * DAY)}
            for n in range(3)
        ]
        database.connection().execute(ROWS.insert(), [*values, values[0] | {"tenant": "other"}])
    return AgedRows(database, "aged", KIND, ROWS, "at", "session", named=("person",), person="person")


def left(database, column="hash"):
    with database.reading() as connection:
        return connection.execute(select(ROWS.c.tenant, ROWS.c[column]).order_by(ROWS.c.at)).all()


def test_rows_come_by_age_and_go_by_key(database, rows):
    found = rows.older(TENANT, KIND, AT + DAY, skip=0, limit=9)
    assert [item.since for item in found] == [AT, AT + DAY]
    assert found[0].names == {"p0"}
    assert rows.older(TENANT, KIND, AT + DAY, skip=1, limit=9) == found[1:]
    assert rows.older(TENANT, ClassName("events"), AT + DAY, skip=0, limit=9) == ()
    assert rows.load(TENANT, [item.key for item in found]) == found
    with database.transaction():
        rows.destroy(TENANT, found)
        rows.destroy(TENANT, found)  # again: nothing is left to do
        rows.destroy(TENANT, [])
    assert [(tenant, bytes(key)) for tenant, key in left(database)] == [("other", b"\0"), (TENANT, b"\2")]
    assert rows.load(TENANT, [item.key for item in found]) == []


def test_it_counts_its_own_tenant(rows):
    assert rows.tally(TENANT) == {KIND: Tally(3, AT)}
    assert rows.tally(Tenant("nobody")) == {KIND: Tally()}


def test_an_erasure_finds_a_persons_rows(rows):
    assert [item.names for item in rows.about(TENANT, Wanted(names=frozenset({"p1"})), 9)] == [{"p1"}]
    assert rows.about(TENANT, Wanted(subject="p1"), 9) == ()


@pytest.mark.usefixtures("rows")
def test_what_is_overwritten_is_counted_no_more(database):
    blank = AgedRows(database, "aged", KIND, ROWS, "at", "person.name", blanked={"name": "erased"})
    with database.transaction():
        blank.destroy(TENANT, blank.older(TENANT, KIND, AT, skip=0, limit=9))
    assert sorted(name for _, name in left(database, "name")) == ["Ada", "Ada", "Ada", "erased"]
    assert blank.tally(TENANT)[KIND].count == 2


@pytest.mark.usefixtures("rows")
def test_what_hangs_on_a_row_goes_before_it(database):
    seen = []
    hanging = AgedRows(
        database, "aged", KIND, ROWS, "at", "session", also=lambda tenant, keys: seen.append((tenant, keys))
    )
    with database.transaction():
        hanging.destroy(TENANT, hanging.older(TENANT, KIND, AT, skip=0, limit=9))
    assert seen == [(TENANT, [{"tenant": TENANT, "hash": b"\0"}])]


@pytest.mark.usefixtures("rows")
def test_rows_that_may_not_go_are_not_seen(database):
    some = AgedRows(database, "aged", KIND, ROWS, "at", "session", only=(ROWS.c.person != "p0",))
    assert [item.since for item in some.older(TENANT, KIND, AT + 9 * DAY, skip=0, limit=9)] == [AT + DAY, AT + 2 * DAY]
