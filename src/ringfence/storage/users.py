"""Users of the host that we may become, or give files and processes to."""

import os
from pathlib import Path


def can_be_given(uids: range) -> bool:
    """Return whether we are root, and not only of a user namespace that knows no such users."""
    return os.geteuid() == 0 and covered(uids, Path("/proc/self/uid_map").read_text())


def covered(uids: range, table: str) -> bool:
    """Return whether a table of user ids, as the kernel shows it, has all of some users in one of its lines."""
    known = [[int(part) for part in line.split()] for line in table.splitlines()]
    return any(first <= uids.start and first + count >= uids.stop for first, _, count in known)
