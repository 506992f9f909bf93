"""What a process of ours says on standard error, kept in a file: its last line tells why it ended."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ringfence.storage.files import PRIVATE, explained

LARGEST = 2**20  # bytes; a longer file is begun anew with the next process
LONGEST = 300  # characters of a line that somebody is told


@contextmanager
def kept(path: Path) -> Iterator[IO[bytes]]:
    """Open the file for a process, and for reading what it said."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    with explained(path, "write"):
        descriptor = os.open(path, flags, PRIVATE)  # a one-time link may stand in it
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if os.fstat(descriptor).st_size > LARGEST:
            file.truncate(0)
        yield file


def since(file: IO[bytes], began: int) -> str:
    """Return the last line that was said since a place in the file; empty where nothing was."""
    file.seek(began)
    lines = [line for line in file.read(LARGEST).decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
