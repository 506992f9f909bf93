import resource

import pytest

from ringfence.gateway.daybook import Daybook, frame, replay, state_frame
from ringfence.gateway.hotpath.frames import CHUNK, FrameFile
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.testing import receipts


@pytest.fixture
def path(tmp_path):
    return tmp_path / "00000001.wal"


def test_a_file_has_its_name_only_once_it_is_whole(path):
    made = FrameFile.create(path, [state_frame({})])
    made.close()
    made.close()
    assert [item.name for item in path.parent.iterdir()] == ["00000001.wal"]
    assert replay(path.read_bytes()) == Daybook()


def test_the_disk_is_taken_ahead_so_that_a_full_one_is_noticed(path):
    made = FrameFile.create(path, [state_frame({})])
    made.reserve(CHUNK)
    made.close()
    assert path.stat().st_size == 2 * CHUNK
    assert path.stat().st_blocks * 512 >= 2 * CHUNK


def test_without_room_nothing_is_reserved_and_nothing_left_behind(path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    made = FrameFile.create(path, [state_frame({})])
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, before[1]))
    try:
        with pytest.raises(Unavailable, match="reserve disk"):
            made.reserve(CHUNK)
        made.append(frame(b"A"))  # what was reserved before is there
        resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK // 2, before[1]))
        with pytest.raises(Unavailable):
            FrameFile.create(path.with_name("00000002.wal"), [state_frame({})])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        made.close()
    assert [item.name for item in path.parent.iterdir()] == ["00000001.wal"]


def test_what_lies_behind_a_torn_frame_never_comes_back(path):
    book = Daybook()
    first, torn, whole = (frame(book.admit(receipts.admitted(number))) for number in (1, 2, 3))
    made = FrameFile.create(path, [state_frame({}), first])
    end = made.end
    made.append(torn[:-1] + b"?" + whole)  # the later one reached the disk, the earlier one did not
    made.close()
    again, found = FrameFile.reopen(path)
    assert again.end == end == path.stat().st_size
    again.append(frame(b"X" * (len(torn) - 36)))  # of the torn one's length: the frame behind it would follow
    again.close()
    assert next(iter(found.open.values())).data in first
    with pytest.raises(MalformedInput, match="kind that is not known"):
        replay(path.read_bytes())


def test_a_damaged_beginning_is_refused(path):
    path.write_bytes(b"nothing of ours")
    with pytest.raises(MalformedInput, match="state"):
        FrameFile.reopen(path)
