import io
import json
import struct

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs import frames
from ringfence.workloads.runs.frames import FILES, PROBE, STATUS, Frames
from ringfence.workloads.runs.model import Ended, Outcome

GOOD = {"code": 0, "interrupted": False, "swap": False, "skipped": 2}


def frame(kind, data):
    return kind + struct.pack(">I", len(data)) + data


def reading(*parts):
    shown = []
    source = io.BytesIO(b"".join(parts))
    return Frames(source.read, lambda kind, data: shown.append((kind, data))), shown


def test_what_the_command_prints_is_shown_on_the_way():
    found, shown = reading(frame(b"o", b"1"), frame(PROBE, b"p"), frame(b"e", b"2"), frame(STATUS, b"s"))
    assert found.expect(PROBE) == b"p"
    assert found.expect(STATUS) == b"s"
    assert shown == [(b"o", b"1"), (b"e", b"2")]


def test_files_are_read_across_frames_and_end_with_them():
    found, _ = reading(frame(FILES, b"abc"), frame(b"o", b"-"), frame(FILES, b"def"), frame(STATUS, b"s"))
    assert found.files(4) == b"abcd"
    assert found.files(10) == b"ef"
    assert found.files(10) == b""
    assert found.expect(STATUS) == b"s"


@pytest.mark.parametrize(
    "data", [b"", b"p", frame(b"p", b"abc")[:-1], b"x" + bytes(4), b"p" + struct.pack(">I", frames.MAX_FRAME + 1)]
)
def test_what_is_no_frame(data):
    with pytest.raises(MalformedInput):
        reading(data)[0].next()


def test_frames_keep_their_order():
    with pytest.raises(MalformedInput, match="order"):
        reading(frame(FILES, b""))[0].expect(PROBE)
    with pytest.raises(MalformedInput, match="no memory file system"):
        reading(frame(STATUS, json.dumps({"refused": "no memory file system"}).encode()))[0].expect(PROBE)


def test_nothing_but_zeros_follows_the_files():
    reading(frame(FILES, bytes(5000)), frame(STATUS, b""))[0].drain()
    with pytest.raises(MalformedInput, match="follows the stream"):
        reading(frame(FILES, bytes(5000) + b"1"), frame(STATUS, b""))[0].drain()


def test_a_status():
    assert frames.status(json.dumps(GOOD).encode()) == frames.Status(Ended(Outcome.COMPLETED, 0), 2, swappable=False)
    killed = frames.status(json.dumps(GOOD | {"code": -9, "interrupted": True}).encode())
    assert killed.ended == Ended(Outcome.INTERRUPTED, None, 9)


@pytest.mark.parametrize(
    "change",
    [{"code": 256}, {"code": -65}, {"code": "0"}, {"code": True}, {"interrupted": 1}, {"swap": 0}, {"skipped": -1}],
)
def test_a_status_that_cannot_be(change):
    with pytest.raises(MalformedInput):
        frames.status(json.dumps(GOOD | change).encode())
