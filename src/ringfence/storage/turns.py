"""Turns between processes: any number may use a thing, or one may replace it. Whatever a dead process held is free."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.kernel.errors import Unavailable
from ringfence.storage.files import explained

PATIENCE = 2.0  # seconds for those who use it to be done, and for whoever replaces it
_PAUSE = 0.05


@contextmanager
def using(folder: Path, because: str, *, patience: float = PATIENCE) -> Iterator[None]:
    """Keep those out who would replace what a folder stands for; raise `Unavailable` with `because` where one is in."""
    with _held(folder, fcntl.LOCK_SH, because, patience):
        yield


@contextmanager
def replacing(folder: Path, because: str, *, patience: float = PATIENCE) -> Iterator[None]:
    """Keep everybody else out; raise `Unavailable` with `because` where somebody is in."""
    with _held(folder, fcntl.LOCK_EX, because, patience):
        yield


@contextmanager
def _held(folder: Path, kind: int, because: str, patience: float) -> Iterator[None]:
    with explained(folder, "open"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise Unavailable(because) from error
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)
