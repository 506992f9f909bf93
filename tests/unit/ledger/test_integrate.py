from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import entry
from ringfence.ledger.integrate import plan
from ringfence.storage.numbering import Numbering
from ringfence.storage.rows import Pending
from ringfence.testing.clock import START

MS = timedelta(milliseconds=1)
ACME, OTHER = Tenant("acme"), Tenant("other")


@given(st.integers(0, 2**40), st.lists(st.integers(1, 2**40), unique=True, max_size=20))
def test_indexes_follow_the_tree_in_the_order_of_sequencing(size, ids):
    pending = [Pending(row, Digest.of(bytes([row % 256])), ACME) for row in ids]
    integrated, entries = plan(size, None, pending, START, {ACME: Numbering(bytes(32), 0)})
    assert [(item.id, item.entry) for item in integrated] == [(row, size + offset) for offset, row in enumerate(ids)]
    assert [entry.decode(data).envelope for data in entries] == [item.digest for item in pending]
    assert {entry.decode(data).recorded_at for data in entries} <= {START}


@given(st.lists(st.sampled_from([ACME, OTHER])), st.integers(0, 9))
def test_each_tenant_is_numbered_by_itself_and_without_a_gap(tenants, before):
    pending = [Pending(row, Digest.of(b"%d" % row), tenant) for row, tenant in enumerate(tenants, start=1)]
    numbering = {ACME: Numbering(b"a" * 32, before), OTHER: Numbering(b"o" * 32, 0)}
    integrated, entries = plan(7, None, pending, START, numbering)
    for tenant, known in numbering.items():
        own = [(item, data) for item, data in zip(integrated, entries, strict=True) if item.tenant == tenant]
        assert [item.tenant_sequence for item, _ in own] == list(range(known.last + 1, known.last + 1 + len(own)))
        tag = entry.tenant_tag(known.salt, tenant)
        assert [entry.decode(data).place for _, data in own] == [
            entry.Place(tag, item.tenant_sequence) for item, _ in own
        ]
