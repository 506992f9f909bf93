"""Programs of others that only tests start: unpacked by `scripts/install_tools.py testing`, never installed."""

import functools
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / ".tools" / "testing" / "root"
_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib/postgresql/15/bin", "usr/lib/go-1.19/bin", "usr/lib/softhsm")
NOBODY = "nobody"


@functools.cache
def tool(name: str) -> Path:
    """Return where a program or library is; skip the test, with the reason, where it is not."""
    for folder in _FOLDERS:
        if (found := ROOT / folder / name).exists():
            return found
    pytest.skip(f"{name} is not in .tools/testing (`make test-tools` fetches it; Debian only)")


def surroundings(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which such a program finds its libraries, and nothing of ours."""
    libraries = ROOT / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
    places = f"{libraries}:{libraries / 'swtpm'}"  # swtpm looks for a library of its own in a folder of its own
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_LIBRARY_PATH": places, **(more or {})}


def unprivileged() -> dict[str, int | list[int]]:
    """Return the arguments for `subprocess` that run a program as nobody where we are root; some refuse to be root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(NOBODY)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
