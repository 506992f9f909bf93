"""Users of the host that belong to nobody: one for each node that runs here."""

import os
from collections.abc import Iterable
from contextlib import suppress

from ringfence.compute.providers import processes
from ringfence.kernel.errors import Unavailable

# Given to nobody by Debian, systemd or subordinate ranges.
NAMESPACES, MACHINES, MEASURED = range(70_000, 80_000), range(80_000, 90_000), range(90_000, 100_000)


def free(taken: Iterable[int | None], uids: range) -> int:
    """Return a user that is neither in `taken` nor has a process now; the caller holds the lock until it is written."""
    used = set(taken) | _with_processes()
    for uid in uids:
        if uid not in used:
            return uid
    raise Unavailable(f"all users from {uids.start} to {uids.stop - 1} are taken by nodes")


def _with_processes() -> set[int | None]:
    found: set[int | None] = set()
    for pid in processes.everyone():
        with suppress(OSError):
            found.add(os.stat(f"/proc/{pid}").st_uid)  # noqa: PTH116 -- a Path per process is slow here
    return found
