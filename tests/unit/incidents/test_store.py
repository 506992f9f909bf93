import pytest

from ringfence.incidents.model import IncidentId
from ringfence.incidents.store import IncidentTable
from ringfence.kernel.errors import Conflict, InternalError
from ringfence.storage.database import Database
from ringfence.testing.incidents import TENANT, event

pytestmark = pytest.mark.databases

NAME = IncidentId("i-00000001")


def test_a_timeline_outlives_the_process_that_wrote_it(database):
    with database.transaction():
        IncidentTable(database).append(TENANT, NAME, event(1))
    again = Database(database.url)
    assert list(IncidentTable(again).events(TENANT, NAME)) == [event(1)]
    again.close()


def test_what_was_rolled_back_is_not_there(database):
    rows = IncidentTable(database)

    def fail():
        with database.transaction():
            rows.append(TENANT, NAME, event(1))
            raise Conflict("something else went wrong")

    with pytest.raises(Conflict):
        fail()
    assert list(rows.events(TENANT, NAME)) == []


def test_nothing_is_written_outside_a_transaction(database):
    with pytest.raises(InternalError):
        IncidentTable(database).append(TENANT, NAME, event(1))
