import pytest

from ringfence.artifacts.store import DatasetTable
from ringfence.kernel.errors import Conflict, InternalError
from ringfence.testing.artifacts import TENANT, example

pytestmark = pytest.mark.databases


def test_rows_survive_the_transaction(database):
    table = DatasetTable(database)
    with database.transaction():
        table.put(TENANT, example(), example().seal)
    assert table.all(TENANT) == [example()]
    assert table.by_name(TENANT, example().name) == example()


def test_nothing_is_written_outside_a_transaction(database):
    with pytest.raises(InternalError):
        DatasetTable(database).put(TENANT, example(), example().seal)


def test_an_epoch_is_written_once_even_if_the_decision_was_raced(database):
    table = DatasetTable(database)
    with database.transaction():
        table.put(TENANT, example(), example().seal)
    with pytest.raises(Conflict), database.transaction():
        table.put(TENANT, example(), example().seal)
    assert len(table.all(TENANT)) == 1
