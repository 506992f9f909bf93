"""Keep the fabric's namespaces: a process that sleeps inside them."""

import json
import os
import signal
import sys
from pathlib import Path

from ringfence.fabric.links import started

RECORD = "anchor.json"
_RECORD_SIZE = 80


def record(directory: Path, name: str) -> None:
    """Write down which process this is, by number and start; in place, since a full disk must not stop a restart."""
    text = json.dumps({"pid": os.getpid(), "started": started(os.getpid())}).ljust(_RECORD_SIZE)
    out = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.pwrite(out, text.encode("ascii"), 0)
    finally:
        os.close(out)


def go_into_background(directory: Path, name: str, log: Path = Path(os.devnull)) -> None:
    """Go on as a child without terminal or files of the caller's, who is let go once that is written down."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        os._exit(0 if os.read(reader, 1) else 1)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    for stream, now in enumerate((nothing, nothing, said)):
        os.dup2(now, stream)
    record(directory, name)
    os.write(writer, b".")
    os.close(writer)


def main() -> None:
    """Sleep until somebody ends it."""
    go_into_background(Path(sys.argv[1]), RECORD)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
