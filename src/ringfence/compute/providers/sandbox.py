"""What a namespace node sees: bubblewrap's arguments, the files of its own `/etc`, and the plan for the launcher.

Nothing of the host is visible but `/usr`, and this installation's Python where the node is to have it, read-only. The
node's own files are handed over as open files, so that its user on the host needs no right to any path of ours. sshd is
the first process inside (`--as-pid-1`) and runs from a copy that its user may execute but not read: the kernel then
keeps everybody of the same user, which is the whole node, from tracing it and from its open files. So nobody inside can
write to the log's pipe, nor kill sshd with SIGKILL.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence import components
from ringfence.components import Component
from ringfence.compute.model import NodeSpec
from ringfence.compute.providers import runtime, sshd
from ringfence.compute.providers.runtime import INSIDE, Runtime
from ringfence.kernel.errors import Unavailable
from ringfence.storage.files import explained

STAGES = ("/mnt", "/media", "/srv", "/opt")  # one of them exists everywhere; used in the launcher's own mount namespace
EXECUTE_ONLY = 0o111
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
SSHD = f"{INSIDE}/sshd"
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ISOLATED = (
    "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
    "--uid", str(sshd.UID), "--gid", str(sshd.UID), "--cap-drop", "ALL", "--new-session", "--as-pid-1", "--clearenv",
)  # fmt: skip
NAMES = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of others in a sandbox, and where the launcher shows them to the node's user."""

    bwrap: Component
    sshd: Component
    stage: str
    sources: Mapping[str, str]  # name below the stage -> directory of the host
    runtime: Runtime | None = None  # for a node that asked for one

    def staged(self, path: str) -> str:
        """Return where a path of the host is found once the launcher has set the stage."""
        for name, source in self.sources.items():
            if path == source or path.startswith(source + "/"):
                return f"{self.stage}/{name}{path.removeprefix(source)}"
        return path

    def libraries(self, component: Component) -> list[str]:
        """Return the directories of a program's own libraries, as staged."""
        named = component.environment.get("LD_LIBRARY_PATH", "")
        return [self.staged(directory) for directory in named.split(os.pathsep) if directory]


def programs(directory: Path, *, with_runtime: bool = False) -> Programs:
    """Find what is needed; keep the copy of sshd that can be executed but not read in `directory`.

    Raises:
        Unavailable: bubblewrap or OpenSSH's server is missing, or our own Python cannot be shown.
    """
    bwrap, server = components.find("bwrap"), components.find("sshd")
    with explained(directory, "write"):
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        directory.chmod(0o755)  # the folder above is closed; the launcher shows this one alone
        _copy(server.path, directory / "sshd")
    trees = {f"tree{number}": str(tree) for number, tree in enumerate(components.trees())}
    own = runtime.find() if with_runtime else None
    sources = {"own": str(directory), **trees, **(own.sources() if own else {})}
    return Programs(bwrap, server, _stage(sources), sources, own)


def _stage(sources: Mapping[str, str]) -> str:
    for stage in STAGES:
        if Path(stage).is_dir() and not any(f"{source}/".startswith(f"{stage}/") for source in sources.values()):
            return stage
    raise Unavailable(f"none of {', '.join(STAGES)} is a directory outside of the installation; make one")


def _copy(source: Path, target: Path) -> None:
    """Copy sshd where the copy is not of this very file."""
    found = source.stat()
    if target.exists() and (target.stat().st_size, int(target.stat().st_mtime)) == (found.st_size, int(found.st_mtime)):
        return
    draft = target.with_name(f".sshd.{os.getpid()}")
    shutil.copyfile(source, draft)
    os.utime(draft, (found.st_atime, found.st_mtime))
    draft.chmod(EXECUTE_ONLY)
    draft.replace(target)


def files(spec: NodeSpec, key: sshd.HostKey, ca_public: str, own: Runtime | None = None) -> dict[str, tuple[int, str]]:
    """Return the node's own files, nearly all in `/etc`: path to mode and content."""
    ssh = {f"{sshd.DIRECTORY}/{name}": held for name, held in sshd.files(spec, key, ca_public).items()}
    hosts = f"127.0.0.1 localhost {spec.name}\n"
    return {**sshd.accounts(spec), **ssh, "/etc/hosts": (0o444, hosts), "/etc/nsswitch.conf": (0o444, NAMES)} | (
        own.files() if own else {}
    )


def arguments(spec: NodeSpec, found: Programs, marker: str) -> list[str]:
    """Return bubblewrap's arguments up to the files."""
    mounts = ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
    for name in LINKS:
        mounts += _link(name)
    libraries = found.libraries(found.sshd)
    for number, directory in enumerate(libraries):
        mounts += ["--ro-bind", directory, f"{INSIDE}/lib{number}"]
    mounts += ["--ro-bind", found.staged(str(Path(found.sources["own"]) / "sshd")), SSHD]
    environment = {"PATH": PATH, "RINGFENCE_NODE": marker}
    if libraries:
        environment["LD_LIBRARY_PATH"] = ":".join(f"{INSIDE}/lib{number}" for number in range(len(libraries)))
    named = [part for name, value in environment.items() for part in ("--setenv", name, value)]
    return [
        found.staged(str(found.bwrap.path)), *ISOLATED, "--hostname", spec.name, *named, *mounts, *_writable(spec),
        *(found.runtime.arguments(found.staged) if found.runtime else ()), "--dir", "/etc/ssh",
    ]  # fmt: skip


def _link(name: str) -> list[str]:
    path = Path("/", name)
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), f"/{name}"]
    return ["--ro-bind", f"/{name}", f"/{name}"] if path.is_dir() else []


def _writable(spec: NodeSpec) -> list[str]:
    """Return the arguments for what the node may write to: memory file systems, a quarter of its memory each."""
    size = str(spec.memory_mib * 2**20 // 4)
    places = {"/tmp": "1777", "/run": "0755", sshd.HOME: "0700", "/data": "0755", "/dev/shm": "1777"}  # noqa: S108
    made = ["--proc", "/proc", "--dev", "/dev"]
    for place, mode in places.items():
        made += ["--perms", mode, "--size", size, "--tmpfs", place]
    return made


def last_arguments() -> list[str]:
    """Return bubblewrap's arguments behind the files: what was only built up becomes read-only, then sshd."""
    command = [SSHD, "-D", "-e", "-f", f"{sshd.DIRECTORY}/{sshd.CONFIGURATION}"]
    return ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--", *command]


def environment(found: Programs) -> dict[str, str]:
    """Return the environment of bubblewrap itself."""
    libraries = found.libraries(found.bwrap)
    return {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
