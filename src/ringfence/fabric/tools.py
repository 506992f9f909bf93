"""Where nft, ip and nsenter are: an unpacked tree that `RINGFENCE_TOOLS` names, the checkout's own, the system."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ringfence.kernel.errors import Unavailable

_PLACES = ("usr/sbin", "usr/bin", "sbin", "bin")
_PACKAGES = {"nft": "nftables", "ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux"}
_CHECKOUT = Path(__file__).parents[3] / ".tools" / "debian" / "root"
_PATIENCE = 10


def _roots() -> list[Path]:
    named = os.environ.get("RINGFENCE_TOOLS")
    return [*([Path(named)] if named else []), _CHECKOUT, Path("/")]


def find(name: str) -> tuple[str, dict[str, str]]:
    """Return the path of a program and the environment that it needs."""
    for root in _roots():
        for place in _PLACES:
            path = root / place / name
            if path.is_file() and os.access(path, os.X_OK):
                return str(path), _environment(root)
    raise Unavailable(f"{name} is not installed: run `make setup`, or install Debian's {_PACKAGES.get(name, name)}")


def _environment(root: Path) -> dict[str, str]:
    if root == Path("/"):
        return {}
    libraries = [str(path) for path in (root / "usr/lib", root / "lib") for path in [*path.glob("*-linux-gnu"), path]]
    return {"LD_LIBRARY_PATH": ":".join(libraries)}


def run(name: str, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it prints; what it complains of is the error."""
    path, needed = find(name)
    try:
        done = subprocess.run(  # noqa: S603 -- an absolute path, no shell
            [path, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**needed, **(environment or {})},
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{name} did not run: {error}") from None
    if done.returncode:
        raise Unavailable(f"{name} refused: {' '.join(done.stderr.split())[:500]}")
    return done.stdout
