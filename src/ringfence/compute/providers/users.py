"""Users of the host that belong to nobody: one for each virtual machine's emulator."""

from collections.abc import Iterable
from contextlib import suppress

from ringfence.compute.providers import processes
from ringfence.kernel.errors import Unavailable

# Given to nobody by Debian, systemd or subordinate ranges; the nodes of another class have those below.
FIRST, LAST = 80_000, 89_999


def free(taken: Iterable[int | None]) -> int:
    """Return a user that is neither in `taken` nor has a process now; the caller holds the lock until it is written."""
    used = set(taken) | _with_processes()
    for uid in range(FIRST, LAST + 1):
        if uid not in used:
            return uid
    raise Unavailable(f"all users from {FIRST} to {LAST} are taken by nodes")


def _with_processes() -> set[int | None]:
    found: set[int | None] = set()
    for pid in processes.everyone():
        with suppress(OSError):
            found.add((processes.PROC / str(pid)).stat().st_uid)
    return found
