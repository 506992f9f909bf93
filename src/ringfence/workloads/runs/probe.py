"""What a Python and its machine are, as one line of JSON: run by that very Python, here or on a node, by `python -I`.

Standard library only: it is sent as text to interpreters that have nothing of ours.
"""

from __future__ import annotations  # for Python 3.8

import hashlib
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path


def packages() -> list[str]:
    """Return each installed distribution, with the digest of what its installer recorded of its files."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        record = distribution.read_text("RECORD")
        digest = f" sha256:{hashlib.sha256(record.encode()).hexdigest()}" if record else ""
        if name:
            found.setdefault(name, f"{name}=={distribution.version}{digest}")  # the first on the path is imported
    return sorted(found.values())


def cpu() -> str:
    """Return the model of the processor, as the kernel names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(named, platform.machine())


def memory_mib() -> int:
    """Return the memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def accelerators() -> list[str]:
    """Return the device files of accelerators that can be seen."""
    try:
        names = os.listdir("/dev")  # noqa: PTH208 - names only
    except OSError:
        names = []
    nvidia = sum(name.startswith("nvidia") and name[6:].isdigit() for name in names)
    return [f"nvidia:{nvidia}"] * bool(nvidia) + ["amd-kfd"] * ("kfd" in names)


def main() -> None:
    """Print everything."""
    document = {
        "python": platform.python_version(),
        "platform": f"{platform.system().lower()}-{platform.machine()}",
        "packages": packages(),
        "cpu": cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": memory_mib(),
        "accelerators": accelerators(),
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
