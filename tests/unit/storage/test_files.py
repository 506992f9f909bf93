import os
import threading
from pathlib import Path

import pytest

from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.storage import files


def test_a_file_is_written_whole_with_its_mode(tmp_path):
    files.write_whole(tmp_path / "a", b"one")
    files.write_whole(tmp_path / "a", b"two", mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_threads_that_write_one_file_at_once_leave_one_of_theirs(tmp_path):
    contents, failures = [bytes([number]) * 50_000 for number in range(4)], []

    def write(data):
        try:
            for _ in range(40):
                files.write_whole(tmp_path / "a", data)
        except Exception as error:  # noqa: BLE001 - the test shows whatever it was
            failures.append(error)

    threads = [threading.Thread(target=write, args=(data,)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_existing_file_is_kept_where_asked(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    with pytest.raises(UsageError, match="exists already"):
        files.write_whole(tmp_path / "a", b"two", replace=False)
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("name", "kind"), [("missing/a", NotFound), ("file/a", Unavailable)], ids=["no folder", "a file for a folder"]
)
def test_a_place_that_is_none_is_one_sentence(tmp_path, name, kind):
    (tmp_path / "file").touch()
    with pytest.raises(kind, match="cannot write"):
        files.write_whole(tmp_path / name, b"x")


def test_a_full_device_is_one_sentence():
    with (
        pytest.raises(Unavailable, match="the disk is full; nothing was written"),
        files.explained("/dev/full", "write"),
    ):
        Path("/dev/full").write_bytes(b"x")


def test_reading_is_bounded(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_bounded(tmp_path / "a", limit=5) == b"12345"
    with pytest.raises(UsageError, match="more than 4 bytes"):
        files.read_bounded(tmp_path / "a", limit=4)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_only_regular_files_are_read_and_a_pipe_is_not_waited_for(tmp_path, make):
    make(tmp_path / "a")
    failed = []

    def read():
        try:
            files.read_bounded(tmp_path / "a")
        except (UsageError, Unavailable) as error:
            failed.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert failed
    assert "cannot read" in failed[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_file_that_others_may_read_is_refused(tmp_path, mode):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        files.read_private(tmp_path / "a")


def test_a_private_file_of_the_owner_is_read(tmp_path):
    files.write_whole(tmp_path / "a", b"x", mode=0o600)
    assert files.read_private(tmp_path / "a") == b"x"


def test_below_a_folder_of_somebody_else_nothing_is_followed(tmp_path):
    (tmp_path / "theirs" / "deep").mkdir(parents=True)
    (tmp_path / "theirs" / "deep" / "a").write_bytes(b"12345")
    (tmp_path / "secret").write_bytes(b"mine")
    (tmp_path / "theirs" / "file").symlink_to(tmp_path / "secret")
    (tmp_path / "theirs" / "out").symlink_to(tmp_path)
    theirs = tmp_path / "theirs"
    assert files.read_below(theirs, theirs / "deep" / "a", limit=5) == b"12345"
    for path in (theirs / "file", theirs / "out" / "secret"):
        with pytest.raises(Unavailable, match="cannot read"):
            files.read_below(theirs, path, limit=5)
    with pytest.raises(NotFound):
        files.read_below(theirs, theirs / "none" / "a", limit=5)
