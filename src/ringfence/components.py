"""Where the programs of others are that Ringfence starts: the unpacked tree of `make setup` first, then the system."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ringfence.kernel.errors import Unavailable

# Name of the program -> the Debian package that brings it; scripts/install_components.py fetches most of these.
PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "bwrap": "bubblewrap",
        "git": "git",
        "ip": "iproute2",
        "mke2fs": "e2fsprogs",
        "nft": "nftables",
        "nsenter": "util-linux",
        "qemu-img": "qemu-utils",
        "qemu-system-x86_64": "qemu-system-x86",
        "sftp-server": "openssh-sftp-server",
        "ssh": "openssh-client",
        "ssh-keygen": "openssh-client",
        "sshd": "openssh-server",
        "swtpm": "swtpm",
        "tcpdump": "tcpdump",
        "setpriv": "util-linux",
        "setsid": "util-linux",
        "unshare": "util-linux",
    }
)
# Also where no PATH of an ordinary user points to.
PROGRAM_DIRECTORIES = ("usr/bin", "usr/sbin", "bin", "sbin", "usr/lib/openssh")
LIBRARY_DIRECTORIES = ("usr/lib", "lib")
PRIVATE_LIBRARIES = ("swtpm",)  # folders below these, in which a program alone looks
# The image and kernel of virtual machines, as scripts/build_image.py leaves them in the tree.
MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Component:
    """A program of others, and what its environment must hold so that it finds its libraries."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def find(name: str, *, environment: Mapping[str, str] | None = None) -> Component:
    """Return where the program `name` is.

    Raises:
        Unavailable: it is nowhere; the message says how to get it.
    """
    env = os.environ if environment is None else environment
    for root in trees(environment=env):
        if path := _program(name, root, PROGRAM_DIRECTORIES):
            return Component(path, _surroundings(root))
    system = [*filter(None, env.get("PATH", "").split(os.pathsep)), *(f"/{folder}" for folder in PROGRAM_DIRECTORIES)]
    if path := _program(name, Path("/"), system):
        return Component(path)
    raise Unavailable(f"`{name}` is missing: run `make setup`, or install {_package(name)}")


def present(name: str) -> bool:
    """Return whether `find` would find it."""
    try:
        find(name)
    except Unavailable:
        return False
    return True


def trees(*, environment: Mapping[str, str] | None = None) -> list[Path]:
    """Return the unpacked trees, the first to be asked first: `$RINGFENCE_TOOLS`, then the checkout's own."""
    env = os.environ if environment is None else environment
    checkout = Path(__file__).resolve().parents[2]
    own = [checkout / ".tools/debian/root"] if (checkout / "pyproject.toml").is_file() else []
    named = [Path(env["RINGFENCE_TOOLS"]).absolute()] if env.get("RINGFENCE_TOOLS") else []
    return [tree for tree in (*named, *own) if os.access(tree, os.X_OK) and tree.is_dir()]


def machine_files() -> Path:
    """Return the directory that holds kernel and image of virtual machines.

    Raises:
        Unavailable: none of the trees has them.
    """
    for root in trees():
        if (root / MACHINE / "image.json").is_file():
            return root / MACHINE
    raise Unavailable(
        "the image of virtual machines is missing: run `make setup` on Debian or a system derived from it"
    )


def _package(name: str) -> str:
    package = PACKAGES.get(name)
    return f"the Debian package `{package}`" if package else "it yourself"


def _program(name: str, root: Path, folders: tuple[str, ...] | list[str]) -> Path | None:
    """Return the first executable file of that name; a name with a slash in it names nothing."""
    if not name or "/" in name:
        return None
    candidates = (root / folder / name for folder in folders)
    # In this order: in a folder that we may not enter, `is_file` raises.
    return next((path for path in candidates if os.access(path, os.X_OK) and path.is_file()), None)


def _surroundings(root: Path) -> Mapping[str, str]:
    """Name the tree's own libraries: its programs were linked for /usr/lib, which may lack them."""
    bases = [root / folder for folder in LIBRARY_DIRECTORIES]
    libraries = [str(path) for base in bases for path in (*sorted(base.glob("*-linux-gnu")), base) if path.is_dir()]
    libraries += [
        str(path) for base in [*libraries] for name in PRIVATE_LIBRARIES if (path := Path(base) / name).is_dir()
    ]
    return {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
