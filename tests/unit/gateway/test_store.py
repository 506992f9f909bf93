import pytest

from ringfence.gateway.store import KeyRows
from ringfence.kernel.errors import InternalError
from ringfence.testing.gateway import SECRET, api_key


def test_the_database_holds_no_key(services, home):
    with services.database.transaction():
        KeyRows(services.database).put(api_key())
    assert SECRET.encode() not in home.stored()


def test_a_row_is_written_in_a_transaction_only(services):
    with pytest.raises(InternalError):
        KeyRows(services.database).put(api_key())
