import hashlib
import io
import os
from pathlib import Path

import pytest

from ringfence.workloads.engine import memory


def test_what_is_held_is_what_was_hashed_and_nobody_changes_it():
    data = bytes(range(256)) * 10_000
    held, measured = memory.receive(io.BytesIO(data + b"what follows"), len(data))
    try:
        assert measured == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert memory.content(held) == data
        with open(memory.path(held), "rb") as again:  # noqa: PTH123 - as an engine does
            assert again.read() == data
        for change in (
            lambda: os.pwrite(held, b"x", 0),
            lambda: os.ftruncate(held, 1),
            lambda: os.ftruncate(held, len(data) + 1),
        ):
            with pytest.raises(PermissionError):
                change()
        with pytest.raises(PermissionError):
            os.open(memory.path(held), os.O_WRONLY | os.O_TRUNC)
    finally:
        os.close(held)


def test_a_stream_that_ends_early_leaves_nothing():
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(memory.Shortened, match="1 bytes early"):
        memory.receive(io.BytesIO(b"abc"), 4)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
