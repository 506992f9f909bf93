import asyncio
import json
import os
import resource
import subprocess
import sys
import time

import pytest

from ringfence.gateway.hotpath.frames import CHUNK, FrameFile, after
from ringfence.gateway.hotpath.journal import LATEST
from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.testing import receipts
from ringfence.testing.journals import closed, requests, used

TENANT = receipts.TENANT


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gateway"


def test_what_was_recorded_is_in_a_signed_segment_after_the_end(folder):
    used(folder, lambda journal: receipts.answered(journal, range(1, 51)))
    segments = closed(folder)
    assert sorted(requests(segments)) == [receipts.request(number) for number in range(1, 51)]
    assert sorted(record.number for leaves in segments for record in leaves) == list(range(1, 51))


def test_a_full_segment_is_closed_and_the_next_one_begun(folder):
    async def work(journal):
        for first in range(1, 40, 4):
            await receipts.answered(journal, range(first, first + 4))

    used(folder, work, most=10)
    segments = closed(folder)
    assert len(segments) > 3
    assert max(map(len, segments)) <= 10
    assert len(requests(segments)) == 40


def test_a_segment_is_closed_some_time_after_its_first_record(folder):
    async def work(journal):
        await receipts.answered(journal, [1])
        await asyncio.wait_for(asyncio.to_thread(until_left, journal), 30)

    def until_left(journal):
        while journal.holds(TENANT, receipts.request(1)):
            time.sleep(0.01)

    used(folder, work, close_after=0.05)
    assert len(closed(folder)) == 1


def test_an_answer_that_goes_on_while_its_segment_closes_ends_in_a_later_one(folder):
    async def work(journal):
        await journal.admit(receipts.admitted(1))
        for first in range(2, 12, 2):
            await receipts.answered(journal, range(first, first + 2))
        await journal.finish(receipts.finished(1))

    used(folder, work, most=5)
    segments = closed(folder)
    assert requests(segments[-1:])[-1] == receipts.request(1)
    assert sorted(requests(segments)) == [receipts.request(number) for number in range(1, 12)]
    assert segments[-1][-1].number == 1


def test_the_journal_says_what_it_still_holds_and_whose_it_is(folder):
    async def work(journal):
        await journal.admit(receipts.admitted(1))
        assert journal.holds(TENANT, receipts.request(1))
        assert not journal.holds("other", receipts.request(1))
        assert not journal.holds(TENANT, receipts.request(2))

    used(folder, work)


def test_after_the_end_nothing_is_taken(folder):
    async def work(journal):
        await asyncio.to_thread(journal.close)
        with pytest.raises(Unavailable, match="stopping"):
            journal.admit(receipts.admitted(1))

    async def main():
        await work(receipts.opened(folder))

    asyncio.run(main())


def test_nothing_ends_that_was_not_admitted_and_the_others_are_recorded(folder):
    async def work(journal):
        wrong = journal.finish(receipts.finished(7))
        await receipts.answered(journal, [1])
        with pytest.raises(InternalError, match="without having been admitted"):
            await wrong

    used(folder, work)
    assert requests(closed(folder)) == [receipts.request(1)]


def test_whatever_goes_wrong_nobody_waits_for_ever_and_nothing_more_is_taken(folder):
    async def work(journal):
        with pytest.raises(Unavailable, match="stumbled"):
            await journal.admit("no admission at all")
        with pytest.raises(Unavailable, match="stumbled"):
            journal.admit(receipts.admitted(1))

    used(folder, work)
    used(folder, lambda journal: receipts.answered(journal, [2]))
    assert requests(closed(folder)) == [receipts.request(2)]


def test_a_disk_that_refuses_a_write_ends_the_journal_until_the_next_start(folder):
    async def work(journal):
        await receipts.answered(journal, [1])
        os.close(journal.file.descriptor)
        with pytest.raises(Unavailable, match="cannot be written"):
            await journal.admit(receipts.admitted(2))
        with pytest.raises(Unavailable, match="cannot be written"):
            journal.finish(receipts.finished(2))
        journal.file.descriptor = -1

    used(folder, work)
    used(folder, lambda journal: receipts.answered(journal, [3]))
    assert requests(closed(folder)) == [receipts.request(1), receipts.request(3)]


def test_who_gives_up_waiting_harms_nobody(folder):
    async def work(journal):
        given_up = asyncio.ensure_future(journal.admit(receipts.admitted(1)))
        await asyncio.sleep(0)
        given_up.cancel()
        await receipts.answered(journal, [2])

    used(folder, work)
    assert requests(closed(folder)) == [receipts.request(2)]


class Watched(FrameFile):
    """A file that notes, at each sync, how much was appended and which promises had ended before."""

    def __init__(self, file):
        super().__init__(file.path, file.descriptor, file.end, file.reserved)
        self.appended, self.early, self.promises = 0, [], []

    def append(self, data):
        self.appended += 1
        super().append(data)

    def sync(self):
        self.early += [promise for promise in self.promises if promise.done()]
        super().sync()


def test_what_is_taken_in_one_turn_is_written_once_and_promised_after_its_sync(folder):
    async def work(journal):
        journal.file = watched = Watched(journal.file)
        for make in (receipts.admitted, receipts.finished):
            take = journal.admit if make is receipts.admitted else journal.finish
            watched.promises = [take(make(number)) for number in range(1, 41)]
            await asyncio.gather(*watched.promises)
        assert (watched.appended, watched.early) == (2, [])

    used(folder, work)
    assert len(requests(closed(folder))) == 40


def test_an_admission_is_written_with_its_end_where_nobody_waits_for_it_alone(folder):
    async def work(journal):
        journal.file = watched = Watched(journal.file)
        for number in (1, 2, 3):
            first = journal.admit(receipts.admitted(number))
            await asyncio.gather(first, journal.finish(receipts.finished(number)))
        assert watched.appended == 3

    used(folder, work)
    assert len(requests(closed(folder))) == 3


def test_an_admission_for_which_somebody_waits_is_written_at_once_and_others_soon(folder):
    async def work(journal):
        loop = asyncio.get_running_loop()
        journal.file = watched = Watched(journal.file)
        first = journal.admit(receipts.admitted(1))
        journal.hurry()
        await first
        assert journal._latest is None
        second = journal.admit(receipts.admitted(2))
        assert journal._latest.when() <= loop.time() + LATEST
        await second
        assert watched.appended == 2

    used(folder, work)


def test_one_who_stumbles_over_a_record_takes_none_of_the_others_along(folder):
    faults = []

    async def work(journal):
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context["exception"]))
        first = journal.admit(receipts.admitted(1))
        first.add_done_callback(lambda _: 1 / 0)
        await receipts.answered(journal, [2])

    used(folder, work)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    assert requests(closed(folder)) == [receipts.request(2)]


def test_what_waits_when_the_journal_is_closed_is_written(folder):
    async def work(journal):
        promises = [journal.admit(receipts.admitted(1)), journal.finish(receipts.finished(1))]
        await asyncio.to_thread(journal.close)
        await asyncio.gather(*promises)

    async def main():
        await work(receipts.opened(folder))

    asyncio.run(main())
    assert requests(closed(folder)) == [receipts.request(1)]


FULL = """
import asyncio, json, pathlib, resource, sys
from ringfence.kernel.errors import Unavailable
from ringfence.testing import receipts
from ringfence.testing.journals import closed, requests, used

async def main(folder):
    journal = receipts.opened(folder)
    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    admitted, refused = [], ""
    for number in range(1, 10_000):
        try:
            admission = journal.admit(receipts.admitted(number))
            journal.hurry()
            await admission
        except Unavailable as error:
            refused = str(error)
            break
        admitted.append(number)
    for number in admitted:
        await journal.finish(receipts.finished(number))
    print(json.dumps([len(admitted), refused]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await asyncio.to_thread(journal.close)

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


def test_on_a_full_disk_nothing_is_admitted_and_everything_admitted_can_end(folder):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), str(CHUNK)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    count, refused = json.loads(done.stdout)
    assert "reserve disk" in refused
    assert 100 < count < 1000
    assert len(requests(closed(folder))) == count
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != CHUNK


def test_a_segment_that_cannot_be_followed_admits_no_more_than_it_may_hold(folder):
    async def work(journal):
        await receipts.answered(journal, range(1, 5))
        blocker = after(journal.file.path).with_suffix(".tmp")
        blocker.mkdir()
        with pytest.raises(Unavailable, match="segment is full"):
            await receipts.answered(journal, [5])
        blocker.rmdir()
        await receipts.answered(journal, [6])

    used(folder, work, most=4)
    assert len(requests(closed(folder))) == 5
