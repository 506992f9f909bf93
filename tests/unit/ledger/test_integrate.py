from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.ledger import entry
from ringfence.ledger.integrate import plan
from ringfence.storage.rows import Pending
from ringfence.testing.clock import START

MS = timedelta(milliseconds=1)


@given(st.integers(0, 2**40), st.lists(st.integers(1, 2**40), unique=True, max_size=20))
def test_indexes_follow_the_tree_in_the_order_of_sequencing(size, ids):
    pending = [Pending(row, Digest.of(bytes([row % 256]))) for row in ids]
    integrated, entries = plan(size, None, pending, START)
    assert [(item.id, item.entry) for item in integrated] == [(row, size + offset) for offset, row in enumerate(ids)]
    assert [entry.decode(data).envelope for data in entries] == [item.digest for item in pending]
    assert {entry.decode(data).recorded_at for data in entries} <= {START}
