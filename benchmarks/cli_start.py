"""The start of the command line, in CPU time of the child, beside a bare interpreter."""

import resource
import subprocess
import sys
from pathlib import Path

from measurement import Row

REPETITIONS = 20
RINGFENCE = Path(sys.executable).with_name("ringfence")


def cpu(command: list[str | Path]) -> float:
    """Return the CPU time of a child, user and system, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure() -> list[Row]:
    """Start both in turn."""
    cpu([RINGFENCE, "--help"])  # byte code is compiled once
    pairs = [(cpu([RINGFENCE, "--help"]), cpu([sys.executable, "-c", "pass"])) for _ in range(REPETITIONS)]
    ours, theirs = zip(*pairs, strict=True)
    return [
        Row(
            what="`ringfence --help`",
            target="< 200 ms CPU",
            unit="ms CPU",
            ours=ours,
            peer="python -c pass",
            theirs=theirs,
            limit=200.0,
        )
    ]
