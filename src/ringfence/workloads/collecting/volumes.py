"""The collector of `node.encryption_at_rest`: on which volumes this installation's data lie, and which are encrypted.

Nodes that run on this machine keep what they write below the home; what machines of one's own do is not seen from here.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ringfence.compute.model import Node, NodeClass
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

AT_REST = PredicateName("node.encryption_at_rest")
FOLDERS = ("", "nodes", "datasets", "evidence", "gateway", "journal", "log")  # below the home
_CRYPT = "CRYPT-"  # how the device mapper's own name of a dm-crypt volume begins
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


class Rest(StrEnum):
    """How data lie on a volume."""

    ENCRYPTED = "encrypted"
    PLAIN = "plain"
    UNKNOWN = "unknown"  # a file system that is on no block device that the kernel names
    MEMORY = "memory"  # nothing is at rest there


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system that holds data of ours."""

    name: str
    rest: Rest


class Volumes(Protocol):
    """The file systems of a machine."""

    def below(self, folders: Iterable[Path]) -> Sequence[Volume]:
        """Return those on which the folders lie, each once."""
        ...


@dataclass(frozen=True, slots=True)
class AtRest:
    """Look where data of ours lie."""

    home: Path
    volumes: Volumes
    nodes: Callable[[Tenant], Iterable[Node]]

    def __call__(self, tenant: Tenant) -> Draft:
        """Ask the kernel about every folder that is there."""
        folders = [path for name in FOLDERS if (path := self.home / name).exists()]
        return draft(tenant, list(self.volumes.below(folders)), list(self.nodes(tenant)))


def draft(tenant: Tenant, found: Sequence[Volume], nodes: Sequence[Node]) -> Draft:
    """State how the volumes are; every machine of one's own is one of which nothing is known."""
    kept = [one for one in found if one.rest is not Rest.MEMORY]
    elsewhere = sum(one.spec.node_class is NodeClass.OWN for one in nodes)
    claims = {
        "nodes": len(nodes),
        "volumes": len(kept),
        "plain": sum(one.rest is Rest.PLAIN for one in kept),
        "unknown": sum(one.rest is Rest.UNKNOWN for one in kept) + elsewhere,
    }
    details = {"volumes": [[one.name, one.rest.value] for one in kept]}
    return observation(AT_REST, tenant, claims, details, about="volumes")


@dataclass(frozen=True, slots=True)
class KernelVolumes:
    """`Volumes` over what Linux says of its mounts and block devices."""

    devices: Path = Path("/sys/dev/block")
    mounts: Path = Path("/proc/self/mountinfo")

    def below(self, folders: Iterable[Path]) -> list[Volume]:
        """Look each device up once."""
        numbers = {path.stat().st_dev for path in folders}
        kinds = kinds_of(self.mounts.read_text("utf-8", "replace"))
        names = sorted(f"{os.major(number)}:{os.minor(number)}" for number in numbers)
        return [Volume(name, self._rest(name, kinds.get(name, ""))) for name in names]

    def _rest(self, name: str, kind: str) -> Rest:
        if kind in _IN_MEMORY:
            return Rest.MEMORY
        device = self.devices / name
        if not device.exists():
            return Rest.UNKNOWN
        return Rest.ENCRYPTED if _is_encrypted(device) else Rest.PLAIN


def _is_encrypted(device: Path) -> bool:
    """Tell whether everything that is written to a block device is encrypted, by it or by all that lies below it."""
    uuid = device / "dm" / "uuid"
    if uuid.exists() and uuid.read_text().startswith(_CRYPT):
        return True
    whole = device if (device / "slaves").is_dir() else device.resolve().parent  # a partition has none of its own
    below = sorted((whole / "slaves").iterdir()) if (whole / "slaves").is_dir() else []
    return bool(below) and all(_is_encrypted(each) for each in below)


def kinds_of(mounts: str) -> dict[str, str]:
    """Return the kind of file system by device number, from the text of `mountinfo`."""
    found = {}
    for line in mounts.splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split()
        if dash and len(fields) > 2 and right:
            found[fields[2]] = right.split()[0]
    return found
