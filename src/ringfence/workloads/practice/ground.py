"""Where the practice ground is, and what makes an installation one."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from ringfence.identity.model import TenantRecord
from ringfence.installation import open_home
from ringfence.kernel.errors import MalformedInput, Refused, RingfenceError, UsageError
from ringfence.kernel.identifier import LogOrigin
from ringfence.storage.files import PRIVATE, read_bounded, write_whole

FOLDER = "practice"  # below the home
SAID = "practice.log"  # beside it: what its process said
HOST = "practice.localhost"  # not the real console's: browsers share cookies among the ports of a host
ORIGIN = "demo/practice-"
_PORT = "console.port"
_PASSED = ("HOME", "LANG", "PATH", "RINGFENCE_TOOLS", "TMPDIR")


def origin() -> LogOrigin:
    """Draw the name of a new ground's log."""
    return LogOrigin(f"{ORIGIN}{secrets.token_hex(4)}")


def is_ground(log: LogOrigin, tenants: Iterable[TenantRecord]) -> bool:
    """Tell whether an installation is one: its log says so, and nothing in it is real."""
    known = list(tenants)
    return log.startswith(ORIGIN) and bool(known) and all(one.demo for one in known)


def is_made(folder: Path) -> bool:
    """Tell whether there is a ground in a folder; raise `UsageError` where something else is in its place."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is no folder; a practice takes its place, so move it elsewhere")
    if not folder.exists() or not any(folder.iterdir()):
        return False
    try:
        home = open_home(folder)
    except RingfenceError as error:
        raise UsageError(f"{folder} holds something that is no practice; move it elsewhere") from error
    if not home.log.startswith(ORIGIN):
        raise UsageError(f"{folder} holds an installation that is no practice; it is left alone")
    return True


def check_practising(folder: Path) -> None:
    """Refuse what only a practice does, in an installation that is none; raise `Refused`."""
    if not (folder / "ringfence.json").exists() or not open_home(folder).log.startswith(ORIGIN):
        raise Refused("attacks are played in a practice only; start one with `ringfence practice start`")


def environment(folder: Path) -> dict[str, str]:
    """Return what a process of a ground is given: no secret of ours, and nothing that names another installation."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ} | {"RINGFENCE_HOME": str(folder)}


def port_of(folder: Path) -> int:
    """Return the port at which its console was last; 0 where there was none. Passkeys are bound to it."""
    path = folder / _PORT
    if not path.exists():
        return 0
    text = read_bounded(path, limit=16).decode("ascii", "replace").strip()
    if not (text.isdigit() and 0 < int(text) < 2**16):
        raise MalformedInput("it names no port", source=str(path))
    return int(text)


def keep_port(folder: Path, port: int) -> None:
    """Remember the port of its console."""
    write_whole(folder / _PORT, f"{port}\n".encode(), mode=PRIVATE)


def address(port: int) -> str:
    """Return the address of its console as browsers show it."""
    return f"http://{HOST}:{port}"
