"""Fetch what `make bench` measures us beside: nginx, unpacked (never installed) into `.tools/bench/`. Debian only.

Nothing of the product uses it. Where it cannot be had, the benchmark prints our own figures alone.
"""

import shutil
import tempfile
from pathlib import Path

from debian_packages import Apt, stored, unpack

from ringfence.kernel.errors import RingfenceError

PLACE = Path(__file__).resolve().parents[1] / ".tools/bench"
PEERS = ("nginx",)
HOST_HAS = ("libc6", "libgcc-s1")
WANTED = ("usr/sbin/", "usr/lib/", "lib/")


def main() -> None:
    """Fetch and unpack; a tree that is there stays."""
    if (PLACE / "root").is_dir():
        return
    PLACE.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
            install(Path(scratch))
    except (RingfenceError, OSError) as problem:
        print(f"bench tools: not installed: {problem}")
    else:
        print(f"bench tools: ready in {PLACE / 'root'}")


def install(scratch: Path) -> None:
    """Fetch and unpack all; the tree appears whole or not at all."""
    apt = Apt(scratch)
    if problem := apt.update():
        print(f"bench tools: no fresh index ({problem}); taking the system's")
    packages = apt.closure(PEERS, without=HOST_HAS)
    (scratch / "archives").mkdir()
    apt.download(packages, scratch / "archives")
    for package in packages:
        unpack(stored(package, scratch / "archives"), scratch / "root", lambda name: name.startswith(WANTED))
    shutil.move(scratch / "root", PLACE / "root")


if __name__ == "__main__":
    main()
