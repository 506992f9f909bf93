"""This installation's own Python, as a node may see it: read-only, as a virtual environment below `/ringfence`.

`/ringfence/bin/python` runs the interpreter with every installed package. Where they lie on the host may be closed to
the node's user (a home directory, say): the launcher stages them, and what counts is what lies below.
"""

import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.compute.providers import users
from ringfence.kernel.errors import Unavailable
from ringfence.storage.users import can_be_given

INSIDE = "/ringfence"
PYTHON = f"{INSIDE}/bin/python"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PREFIX = f"{INSIDE}/python"
SHARED = "/usr"  # every namespace node sees it
FOR_ALL = 0o005


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where the interpreter and its packages lie on the host."""

    prefix: str
    packages: Mapping[str, str]  # directory below `/ringfence` -> directory of the host
    linked: bool = False  # its program finds its own library by the path on the host

    def sources(self) -> dict[str, str]:
        """Return what the launcher has to stage."""
        found = {f"packages{number}": path for number, path in enumerate(self.packages.values())}
        return found if _shared(self.prefix) else {"python": self.prefix, **found}

    def home(self) -> str:
        """Return where the interpreter is inside."""
        return f"{self.prefix if _shared(self.prefix) else PREFIX}/bin"

    def files(self) -> dict[str, tuple[int, str]]:
        """Return the file that makes a virtual environment of it."""
        return {f"{INSIDE}/pyvenv.cfg": (0o444, f"home = {self.home()}\ninclude-system-site-packages = false\n")}

    def arguments(self, staged: Callable[[str], str]) -> list[str]:
        """Return bubblewrap's arguments."""
        mounts = [] if _shared(self.prefix) else ["--ro-bind", staged(self.prefix), PREFIX]
        for inside, path in self.packages.items():
            mounts += ["--ro-bind", staged(path), inside]
        if self.linked and not _shared(self.prefix):  # without it, the program would take another Python's library
            mounts += ["--symlink", PREFIX, self.prefix]
        return [*mounts, "--symlink", f"{self.home()}/{VERSION}", PYTHON]


def find() -> Runtime:
    """Return the Python that runs this.

    Raises:
        Unavailable: it has no program of the usual name, or the node's user could not read it.
    """
    paths = sysconfig.get_paths()
    packages = {f"{INSIDE}/lib/{VERSION}/site-packages": paths["purelib"]}
    if Path(paths["platlib"]).resolve() != Path(paths["purelib"]).resolve():
        packages[f"{INSIDE}/{sys.platlibdir}/{VERSION}/site-packages"] = paths["platlib"]
    resolved = {to: str(Path(at).resolve()) for to, at in packages.items()}
    linked = bool(sysconfig.get_config_var("Py_ENABLE_SHARED"))
    found = Runtime(str(Path(sys.base_prefix).resolve()), resolved, linked)
    _check(Path(found.prefix) / "bin" / VERSION, *(Path(at) for at in found.packages.values()))
    return found


def _check(*paths: Path) -> None:
    for path in paths:
        if not os.access(path, os.R_OK | os.X_OK):
            raise Unavailable(f"this Python cannot be shown to a node: {path} is missing")
        if can_be_given(users.NAMESPACES) and path.stat().st_mode & FOR_ALL != FOR_ALL:
            raise Unavailable(f"this Python cannot be shown to a node: {path} is closed to other users; chmod o+rX")


def _shared(path: str) -> bool:
    return path == SHARED or path.startswith(f"{SHARED}/")
