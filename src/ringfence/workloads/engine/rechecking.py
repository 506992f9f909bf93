"""Hash again what an engine's sealed memory holds: runs on the node, slowly, and says what it saw in one line.

Run as `python -I -c PROGRAM MARK RATE`: it finds the engine by its last argument, opens the memory file that the engine
itself has open, asks the kernel for its seals, and reads it at no more than RATE bytes a second, behind all others.
"""

import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

LINK = "/memfd:model"  # how /proc shows the file that the loader filled
PIECE = 2**20
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def main() -> None:
    """Look, and print what was seen."""
    os.nice(19)
    answer = look(os.fsencode(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(answer, sort_keys=True) + "\n")


def look(mark: bytes, rate: int, processes: str = "/proc") -> dict[str, object]:
    """Return digest, seals, size and processor time; an empty digest where no engine of this name has such a file."""
    began = time.process_time()
    for found in sorted(filter(str.isdigit, (entry.name for entry in Path(processes).iterdir())), key=int):
        try:
            held = _held(Path(processes) / found, mark)
        except OSError:  # it ended, or is not ours to look into
            continue
        if held is None:
            continue
        try:
            sealed = fcntl.fcntl(held, fcntl.F_GET_SEALS) & SEALS == SEALS
            digest, size = hashed(held, rate)
        finally:
            os.close(held)
        return {
            "measured": digest,
            "sealed": sealed,
            "bytes": size,
            "milliseconds": round(1000 * (time.process_time() - began)),
        }
    return {"measured": "", "sealed": False, "bytes": 0, "milliseconds": 0}


def _held(process: Path, mark: bytes) -> "int | None":
    """Open the memory file that a process has open, if it is the engine that is asked about."""
    if (process / "cmdline").read_bytes().split(b"\0")[-2:-1] != [mark]:
        return None
    for entry in sorted((process / "fd").iterdir(), key=lambda entry: int(entry.name)):
        if str(entry.readlink()).startswith(LINK):
            return os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
    return None


def hashed(
    descriptor: int,
    rate: int,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> "tuple[str, int]":
    """Return digest and size of a file, read once, at no more than `rate` bytes a second."""
    digest, offset, began = hashlib.sha256(), 0, monotonic()
    while piece := os.pread(descriptor, PIECE, offset):
        digest.update(piece)
        offset += len(piece)
        early = offset / rate - (monotonic() - began)
        if early > 0:
            sleep(early)
    return f"sha256:{digest.hexdigest()}", offset
