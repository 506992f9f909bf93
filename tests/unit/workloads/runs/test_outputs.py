import io
import os
import subprocess
import sys

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, RingfenceError, Unavailable
from ringfence.testing.artifacts import MemoryFolder
from ringfence.workloads.runs import outputs, tarball
from ringfence.workloads.runs.model import MAX_OUTPUTS, Output
from ringfence.workloads.runs.tarball import Limits


def stream(*files):
    return b"".join(tarball.written((name, len(data), False, iter([data])) for name, data in files))


def take(data, folder, limits=outputs.LIMITS):
    return outputs.take(io.BytesIO(data).read, folder, limits)


def test_a_folder_that_holds_something_is_not_taken(tmp_path):
    outputs.prepare(tmp_path / "a" / "b")
    outputs.prepare(tmp_path / "a" / "b")
    with pytest.raises(Conflict, match="not empty"):
        outputs.prepare(tmp_path / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(RingfenceError):
        outputs.prepare(tmp_path / "file")


def test_plain_files_are_digested_and_everything_else_is_counted(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"11")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = outputs.read(tmp_path)
    assert found.files == (Output("a", 2, Digest.of(b"11")), Output("deep/er/b", 1, Digest.of(b"2")))
    assert (found.skipped, found.size) == (3, 3)


def test_there_is_an_end_to_how_many_are_listed(tmp_path):
    for number in range(MAX_OUTPUTS + 3):
        (tmp_path / str(number)).touch()
    found = outputs.read(tmp_path)
    assert (len(found.files), found.skipped) == (MAX_OUTPUTS, 3)


def test_what_arrives_is_written_and_digested(tmp_path):
    with outputs.opened(tmp_path) as folder:
        found = take(stream(("b/c", b"1"), ("a", b"22")), folder)
    assert found == (Output("a", 2, Digest.of(b"22")), Output("b/c", 1, Digest.of(b"1")))
    assert outputs.read(tmp_path).files == found


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b").symlink_to(tmp_path)
    with outputs.opened(tmp_path / "out") as folder, pytest.raises(RingfenceError):
        take(stream(("b/c", b"1")), folder)
    assert not (tmp_path / "c").exists()


def test_huge_outputs_are_bounded(tmp_path):
    with outputs.opened(tmp_path) as folder, pytest.raises(MalformedInput, match="more than"):
        take(stream(("a", b"1" * 10), ("b", b"1" * 10)), folder, Limits(10, 15))
    assert not (tmp_path / "b").exists()


def test_a_full_disk_is_said_as_such():
    with pytest.raises(Unavailable, match="'a' cannot be kept: the disk is full"):
        take(stream(("a", b"1" * 10)), MemoryFolder(room=5))


def test_a_folder_that_cannot_be_read_is_counted():
    script = """
import os, sys, tempfile
from pathlib import Path
sys.path[:0] = sys.argv[1:]
from ringfence.workloads.runs import agent, outputs
with tempfile.TemporaryDirectory() as top:
    os.chmod(top, 0o755)
    closed = Path(top, "closed")
    closed.mkdir(mode=0o700)
    (closed / "a").touch()
    if os.geteuid():
        closed.chmod(0)
    else:
        os.seteuid(65534)
    print(outputs.read(Path(top)).skipped, [plain for _, _, plain in agent.files_below(top)])
    if os.geteuid() == os.getuid():
        closed.chmod(0o700)
    else:
        os.seteuid(0)
"""
    done = subprocess.run([sys.executable, "-c", script, *sys.path], capture_output=True, check=True, text=True)
    assert done.stdout == "1 [False]\n"
