import time

import pytest

from ringfence.gateway import records, segment
from ringfence.gateway.daybook import Daybook
from ringfence.gateway.hotpath.closing import ClosingThread
from ringfence.kernel.errors import UsageError
from ringfence.testing import receipts


def book_of(*numbers, counts=None):
    book = Daybook(dict(counts or {}))
    for number in numbers:
        book.admit(receipts.admitted(number))
        book.finish(receipts.finished(number))
    return book


@pytest.fixture
def closer(tmp_path):
    return receipts.closer(tmp_path)


@pytest.fixture
def wal(tmp_path):
    path = tmp_path / "00000001.wal"
    path.touch()
    return path


def test_a_closed_segment_is_signed_indexed_and_its_journal_gone(closer, wal):
    closer.close(wal, book_of(1, 2))
    assert not wal.exists()
    envelope = closer.files.envelope(receipts.TENANT, 1)
    closing = segment.closing_of(envelope, receipts.signer().public_key)
    leaves = closer.files.leaves(receipts.TENANT, 1)
    assert closing.root.value == segment.root_of([segment.leaf_hash(leaf) for leaf in leaves])
    assert (closing.number, closing.records, closing.admitted, closing.finished) == (1, 2, 2, 2)
    place = closer.index.find(receipts.TENANT, receipts.request(2))
    assert (place.segment, place.index) == (1, 1)
    assert closer.files.salt(receipts.TENANT, 1, 1) == receipts.salt(2)
    assert envelope.statement.issuance.sequence == 1


def test_segments_of_one_key_are_numbered_on_and_a_new_key_begins_anew(closer, wal, tmp_path):
    first = book_of(1)
    closer.close(wal, first)
    second, _ = first.successor()
    second.admit(receipts.admitted(2))
    second.finish(receipts.finished(2))
    closer.close(wal, second)
    third, _ = second.successor()
    third.admit(receipts.admitted(3))
    third.finish(receipts.finished(3))
    receipts.closer(tmp_path, key=receipts.signer(8)).close(wal, third)
    found = [closer.files.envelope(receipts.TENANT, number).statement for number in (1, 2, 3)]
    assert [statement.issuance.sequence for statement in found] == [1, 2, 1]
    assert [segment.read(statement).number for statement in found] == [1, 2, 3]


def test_one_number_is_never_closed_twice_whatever_the_second_would_say(closer, wal):
    closer.close(wal, book_of(1))
    signed = closer.files.envelope(receipts.TENANT, 1).data
    closer.close(wal, book_of(2, 3))  # as after a crash between the signature and the end of the journal's file
    assert closer.files.envelope(receipts.TENANT, 1).data == signed
    assert [records.parse(leaf).admitted.request for leaf in closer.files.leaves(receipts.TENANT, 1)] == [
        receipts.request(1)
    ]


def test_each_tenant_has_its_own_segments(closer, wal):
    book = book_of(1)
    book.admit(receipts.admitted(2, tenant="other"))
    book.finish(receipts.finished(2))
    closer.close(wal, book)
    assert closer.files.tenants() == ["acme", "other"]
    for tenant in ("acme", "other"):
        statement = closer.files.envelope(tenant, 1).statement
        assert statement.issuance.tenant == tenant
        assert statement.issuance.sequence == 1
        assert segment.read(statement).records == 1


def test_what_cannot_be_closed_now_is_closed_later_and_in_order(closer, wal):
    blocked = closer.files.folder / "closed" / receipts.TENANT
    blocked.parent.mkdir()
    blocked.write_bytes(b"")  # a file where the folder has to be
    done = []
    thread = ClosingThread(closer, done.append)
    thread.start()
    thread.take(wal, book_of(1))
    with pytest.raises(UsageError):
        closer.close(wal, book_of(1))
    assert wal.exists()
    blocked.unlink()
    until = time.monotonic() + 20
    while not done and time.monotonic() < until:
        time.sleep(0.02)
    thread.stop()
    assert done == [wal]
    assert closer.files.is_closed(receipts.TENANT, 1)
