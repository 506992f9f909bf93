import shutil

import pytest

from ringfence.gateway.daybook import Counts
from ringfence.gateway.records import Because, Outcome
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.testing import receipts
from ringfence.testing.journals import closed, requests, used

TENANT = receipts.TENANT


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gateway"


def test_what_was_open_at_the_end_reads_as_aborted_at_the_next_start(folder):
    async def work(journal):
        await journal.admit(receipts.admitted(1))
        await receipts.answered(journal, [2])

    async def nothing(journal):
        assert journal.book.counts == {TENANT: Counts(segment=3, admitted=2, finished=2)}

    used(folder, work)
    used(folder, nothing)
    segments = closed(folder)
    assert requests(segments) == [receipts.request(2), receipts.request(1)]
    last = segments[-1][-1].finished
    assert (last.outcome, last.because) == (Outcome.ABORTED, Because.GATEWAY_RESTARTED)


def test_two_gateways_never_write_one_journal(folder):
    async def work(journal):
        with pytest.raises(Unavailable, match="another gateway"):
            receipts.opened(folder)
        await receipts.answered(journal, [1])

    used(folder, work)
    used(folder, lambda journal: receipts.answered(journal, [2]))
    assert len(requests(closed(folder))) == 2


async def nothing(journal):
    assert not journal.refusing


def test_a_lost_index_is_made_again_from_the_segments(folder):
    async def work(journal):
        for number in range(1, 8):
            await receipts.answered(journal, [number])

    used(folder, work, most=3)
    index = receipts.closer(folder).index
    before = [index.find(TENANT, receipts.request(number)) for number in range(1, 8)]
    for damage in (lambda: shutil.rmtree(index.folder), (index.folder / TENANT / "marked").unlink):
        damage()
        used(folder, nothing)
        assert [index.find(TENANT, receipts.request(number)) for number in range(1, 8)] == before


def test_without_a_file_of_the_journal_the_segments_say_where_to_go_on(folder):
    used(folder, lambda journal: receipts.answered(journal, range(1, 4)))
    for path in (folder / "journal").glob("*.wal"):
        path.unlink()
    used(folder, lambda journal: receipts.answered(journal, [4]))
    segments = closed(folder)
    assert [record.number for leaves in segments for record in leaves][-1] == 4
    assert len(segments) == 2


def test_a_damaged_journal_is_refused_and_can_be_opened_once_it_is_gone(folder):
    used(folder, lambda journal: receipts.answered(journal, [1]))
    (path,) = (folder / "journal").glob("*.wal")
    path.write_bytes(b"?" * 100)
    with pytest.raises(MalformedInput, match="damaged"):
        receipts.opened(folder)
    path.unlink()
    used(folder, lambda journal: receipts.answered(journal, [2]))
