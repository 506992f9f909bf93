from dataclasses import replace

from ringfence.kernel.envelope import key_id_of
from ringfence.reports.books import UNPINNED, check_books, pinned
from ringfence.reports.pack import read
from ringfence.reports.records import read_records
from ringfence.reports.verify import verify
from ringfence.testing.ledger import LabLog


def opened(log):
    contents = read(log.pack())
    return read_records(contents)[0], contents.header, key_id_of(log.public("root"))


def test_every_enrolment_by_the_root_is_for_the_book_that_is_shown():
    records, header, root = opened(LabLog())
    assert pinned(records, root)
    assert list(check_books(records, header, root)) == []
    for other in (replace(header, tenant_salt=bytes(32)), replace(header, tenant_salt=None)):
        assert [failure.record for failure in check_books(records, other, root)] == [1, 2, 3]


def test_where_none_names_a_book_it_is_said():
    log = LabLog(pins=False)
    records, header, root = opened(log)
    assert not pinned(records, root)
    assert list(check_books(records, replace(header, tenant_salt=bytes(32)), root)) == []
    assert UNPINNED in verify(log.pack(), log.trust()).notices
    assert UNPINNED not in verify(LabLog().pack(), LabLog().trust()).notices
