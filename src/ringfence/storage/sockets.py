"""Unix sockets whose path may be longer than the 107 bytes that the kernel takes as a socket's name."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 107


@contextmanager
def named(path: Path) -> Iterator[str]:
    """Give the name under which a socket is bound or reached: its path, or one through its open folder.

    The name holds until the block ends.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def bind(bound: socket.socket, path: Path) -> None:
    """Bind a socket to a path."""
    with named(path) as name:
        bound.bind(name)


def connect(connection: socket.socket, path: Path) -> None:
    """Connect to the socket at a path."""
    with named(path) as name:
        connection.connect(name)
