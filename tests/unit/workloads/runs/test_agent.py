import io
import os
import tarfile
from pathlib import Path

import pytest

from ringfence.workloads.runs import agent


def test_memory_file_systems_are_told_from_disks(tmp_path):
    kinds = {line.split()[1]: line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    assert agent.in_memory("/dev/shm") == (kinds.get("/dev/shm") in agent.MEMORY_KINDS)  # noqa: S108
    assert not agent.in_memory(str(tmp_path))
    assert not agent.in_memory("/proc")


def test_a_stream_is_unpacked_and_nothing_behind_it_is_taken(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, mode in (("inputs/a", 0o644), ("code/b.sh", 0o755)):
            info = tarfile.TarInfo(name)
            info.size, info.mode = 3, mode
            archive.addfile(info, io.BytesIO(b"123"))
    end = out.getvalue().rindex(b"123") + 512 - out.getvalue().rindex(b"123") % 512 + 1024
    source = io.BytesIO(out.getvalue()[:end] + b"i")
    agent.unpack(agent.Whole(source), str(tmp_path))
    assert (tmp_path / "inputs/a").read_bytes() == b"123"
    assert not os.access(tmp_path / "inputs/a", os.X_OK)
    assert os.access(tmp_path / "code/b.sh", os.X_OK)
    assert source.read().endswith(b"i")


def test_only_plain_files_go_back(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = {Path(path).name: plain for path, _, plain in agent.files_below(str(tmp_path))}
    assert found == {"a": True, "link": False, "folder": False, "pipe": False}


@pytest.mark.parametrize("data", [b"abc\nrest", b"abc"])
def test_the_plan_is_one_line(data):
    assert agent.line(io.BytesIO(data).read) == b"abc"


def test_what_a_killed_run_left_is_removed_and_what_lives_stays(tmp_path):
    (tmp_path / "ringfence-node-dead").mkdir()
    (tmp_path / "ringfence-node-dead" / "a").write_bytes(b"1")
    (tmp_path / "other").mkdir()
    living, lock = agent.claimed(str(tmp_path))
    agent.sweep(str(tmp_path))
    assert set(tmp_path.iterdir()) == {tmp_path / "other", Path(living)}
    os.close(lock)
    agent.sweep(str(tmp_path))
    assert list(tmp_path.iterdir()) == [tmp_path / "other"]
