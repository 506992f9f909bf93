import fcntl
import threading
from pathlib import Path

import pytest

from ringfence.compute.providers.folders import Folders
from ringfence.kernel.errors import RingfenceError
from ringfence.testing.compute import spec
from ringfence.tour.lab import until

NODE = spec().node


def test_a_folder_is_nobody_elses_and_goes_with_its_lock(tmp_path):
    folders = Folders(tmp_path / "nodes")
    assert folders.folders() == []
    with folders.locked(NODE):
        assert folders.make(NODE) == folders.folder(NODE)
        assert folders.folder(NODE).stat().st_mode & 0o777 == 0o700
        assert folders.folders() == [NODE]
        folders.clear(NODE)
        assert folders.folders() == []
        folders.remove(NODE)
    assert list((tmp_path / "nodes").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RingfenceError, match="cannot lock"), Folders(tmp_path / "file").locked(NODE):
        pass


def test_whoever_waited_for_a_lock_that_was_removed_keeps_others_out(tmp_path):
    folders, lock = Folders(tmp_path), tmp_path / f".{NODE}.lock"
    inside, leave = threading.Event(), threading.Event()

    def wait():
        with folders.locked(NODE):
            inside.set()
            leave.wait(10)

    waiting = threading.Thread(target=wait)
    with folders.locked(NODE):
        inode = lock.stat().st_ino
        waiting.start()
        until(lambda: any("->" in line and f":{inode} " in line for line in locks()), "the wait for the lock")
        folders.remove(NODE)
    assert inside.wait(10)
    with lock.open("w") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    leave.set()
    waiting.join(10)


def locks():
    return Path("/proc/locks").read_text().splitlines()
