"""How much of the machine a node may take: control groups of either version where they work, else limits of the user.

What holds here is found by trying it: a group is made, and taken away again. The offer says which limits those are.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.compute.model import NodeSpec
from ringfence.kernel.errors import Unavailable

GROUPS = Path("/sys/fs/cgroup")
MIB = 2**20
PERIOD = 100_000  # microseconds of a CPU period
HEADROOM = 16  # processes of the sandbox itself: sshd and its monitors
KINDS = ("memory", "cpu", "pids")
V1_FILES: Mapping[str, Callable[[NodeSpec], dict[str, str]]] = {
    "memory": lambda spec: {"memory.limit_in_bytes": str(spec.memory_mib * MIB)},
    "cpu": lambda spec: {
        "cpu.cfs_period_us": str(PERIOD),
        "cpu.cfs_quota_us": str(spec.cpus_percent * PERIOD // 100),
    },
    "pids": lambda spec: {"pids.max": str(spec.processes + HEADROOM)},
}
V2_FILES: Mapping[str, Callable[[NodeSpec], dict[str, str]]] = {
    "memory": lambda spec: {"memory.max": str(spec.memory_mib * MIB), "memory.swap.max": "0"},
    "cpu": lambda spec: {"cpu.max": f"{spec.cpus_percent * PERIOD // 100} {PERIOD}"},
    "pids": lambda spec: {"pids.max": str(spec.processes + HEADROOM)},
}
COUNTERS = (
    "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt", "memory.current", "memory.peak",
    "memory.events", "cpuacct.usage", "cpu.stat", "pids.current", "pids.events", "pids.max",
)  # fmt: skip
NAMES = {"memory": "memory", "cpu": "processor time", "pids": "processes"}


@dataclass(frozen=True, slots=True)
class Limits:
    """The kinds of limits that work here, and the folder in which groups are made for each."""

    version: int  # of control groups; 0: none
    roots: Mapping[str, Path] = field(default_factory=dict)

    def described(self) -> tuple[str, ...]:
        """Say what holds a node back."""
        held = tuple(f"{NAMES[kind]}: control group v{self.version}" for kind in KINDS if kind in self.roots)
        missing = [kind for kind in KINDS if kind not in self.roots]
        weak = {
            "memory": "memory: address space per process only",
            "cpu": "processor time: not limited",
            "pids": "processes: per user (rlimit)",
        }
        return (*held, *(weak[kind] for kind in missing), "files: size-limited memory file systems")

    def groups(self, name: str) -> list[Path]:
        """Return the folders of a group."""
        return sorted({root / name for root in self.roots.values()})

    def make(self, name: str, spec: NodeSpec) -> list[Path]:
        """Make the group of a node with its limits."""
        files = V2_FILES if self.version == 2 else V1_FILES
        try:
            for kind, root in self.roots.items():
                (root / name).mkdir(exist_ok=True)
                for file, value in files[kind](spec).items():
                    if (root / name / file).exists():
                        (root / name / file).write_text(value)
        except OSError as error:
            self.remove(name)
            raise Unavailable(f"the control group of the node cannot be made: {error.strerror}") from error
        return self.groups(name)

    def rlimits(self, spec: NodeSpec) -> dict[str, int]:
        """Return the limits of each process and of the user, which hold beside the groups or instead of them."""
        found = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 4096, "RLIMIT_NPROC": spec.processes + HEADROOM}
        return found if "memory" in self.roots else {**found, "RLIMIT_AS": spec.memory_mib * MIB}

    def members(self, name: str) -> set[int]:
        """Return the pids in a group."""
        pids: set[int] = set()
        for folder in self.groups(name):
            with suppress(OSError):
                pids.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        return pids

    def counters(self, name: str) -> str:
        """Return what the kernel counted for a group."""
        found = []
        for folder in self.groups(name):
            for file in COUNTERS:
                with suppress(OSError):
                    found.append(f"{file}: {(folder / file).read_text().strip()}")
        return "\n".join(found)

    def remove(self, name: str, also: Iterable[str] = ()) -> bool:
        """Take a group away, and those that another process of ours made elsewhere; its processes must have ended."""
        folders = {*self.groups(name), *(Path(path) for path in also)}
        for folder in folders:
            for _ in range(50):  # the kernel may need a moment after the last process
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        return not any(folder.exists() for folder in folders)

    def named(self, prefix: str) -> set[str]:
        """Return the names of the groups that begin with `prefix`."""
        found: set[str] = set()
        for root in set(self.roots.values()):
            with suppress(OSError):
                found.update(entry.name for entry in root.iterdir() if entry.name.startswith(prefix))
        return found


def detect(own: str | None = None, groups: Path = GROUPS) -> Limits:
    """Find the limits that work, by making a group of each kind."""
    paths = _own_groups(own if own is not None else Path("/proc/self/cgroup").read_text())
    if (groups / "cgroup.controllers").exists():
        root = _version_2(groups / paths.get("", "").lstrip("/"))
        return Limits(2, dict.fromkeys(KINDS, root)) if root else Limits(0)
    roots = {kind: groups / kind / paths.get(kind, "").lstrip("/") for kind in KINDS}
    return Limits(1, {kind: root for kind, root in roots.items() if _works(root)})


def _own_groups(text: str) -> dict[str, str]:
    """Read `/proc/self/cgroup`: controller, or nothing for version 2, to our own group."""
    found = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _version_2(own: Path) -> Path | None:
    """Return a group below which groups with limits can be made; one with processes of its own cannot have them."""
    for place in (own, own.parent):
        wanted = " ".join(f"+{kind}" for kind in KINDS)
        with suppress(OSError):
            (place / "cgroup.subtree_control").write_text(wanted)
            if _works(place):
                return place
    return None


def _works(root: Path) -> bool:
    trial = root / f"ringfence-trial-{os.getpid()}"
    try:
        trial.mkdir()
        usable = os.access(trial / "cgroup.procs", os.W_OK)
        trial.rmdir()
    except OSError:
        return False
    return usable
