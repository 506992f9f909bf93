"""A disk that is soon full: a tmpfs in a mount namespace of its own, which only those see that are started in it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_TAKE = """
import os, sys
from contextlib import suppress
disk = os.statvfs(sys.argv[1])
with suppress(OSError), open(sys.argv[1] + "/filler", "wb") as file:
    file.write(bytes(max(disk.f_bavail * disk.f_frsize - int(sys.argv[2]), 0)))
"""
_HOLD = 'mount -t tmpfs -o "size=$2,mode=0755" none "$1" && echo mounted && exec sleep 3600'


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """The disk at `path`, for the processes of one namespace."""

    path: Path
    holder: int

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return what a command begins with that is to see it."""
        return ("nsenter", "--target", str(self.holder), "--mount", "--")

    def run(self, *command: str) -> None:
        """Run a command that sees it."""
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
        assert done.returncode == 0, done.stderr

    def fill(self, *, leave: int) -> None:
        """Take what is free but for some bytes; `free` gives it back."""
        self.run(sys.executable, "-c", _TAKE, str(self.path), str(leave))

    def free(self) -> None:
        """Give back what was taken."""
        self.run("rm", "-f", str(self.path / "filler"))


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many bytes at a folder while the block lasts; skip the test where we may not."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own is mounted by root only")
    path.mkdir(parents=True, exist_ok=True)
    command = ["unshare", "--mount", "--", "sh", "-c", _HOLD, "sh", str(path), str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout is not None
        try:
            if holder.stdout.readline() != b"mounted\n":
                pytest.skip("this machine lets nobody mount a disk here")
            yield SmallDisk(path, holder.pid)
        finally:
            holder.kill()
