"""What every virtual node shares, and the few files that make a machine one node: a second archive behind the first."""

import json
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ringfence.kernel.errors import Unavailable

MAGIC = b"070701"  # "newc", without checksum: the only format that the kernel unpacks
TRAILER = "TRAILER!!!"
ALIGN = 4
# What is there of it: one kernel, a first file system for each class, the disk of one, and the guest that only speaks.
PARTS = ("kernel", "initrd", "image", "measured")
SEGMENT = 512  # the next archive begins where the kernel looks for one: after zeros up to a block


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive; all of them are root's and from 1970, so that the same files give the same bytes."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Image:
    """Kernel, first file system, and the read-only image that all virtual nodes share."""

    kernel: Path
    initrd: Path
    disk: Path
    probe: Path
    digest: str  # SHA-256 over the digests of `PARTS`
    measured: Path = Path()  # first file system of measured nodes, with the image in it
    files: Path = Path()  # JSON: the SHA-256 of every file of the image


def load(directory: Path) -> Image:
    """Return the image in `directory`.

    Raises:
        Unavailable: a part of it is missing, or its description does not parse.
    """
    try:
        facts = json.loads((directory / "image.json").read_text())
        digest = str(facts["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable("the image of virtual machines is not whole: run `make setup` again") from error
    names = ("kernel", "initrd", "image", "probe")
    kernel, initrd, disk, probe = (directory / name for name in names)
    image = Image(kernel, initrd, disk, probe, digest, directory / "measured", directory / "files.json")
    if lost := [name for name in names if not (directory / name).is_file()]:
        raise Unavailable(f"the image of virtual machines lacks its {', '.join(lost)}: run `make setup` again")
    return image


def archive(entries: Iterable[Entry]) -> bytes:
    """Return a cpio archive that the kernel unpacks as its first file system; several may follow each other."""
    parts = [_record(number, entry) for number, entry in enumerate(entries, start=1)]
    parts.append(_record(0, Entry(TRAILER, 0)))
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % SEGMENT)


def personal(files: dict[str, tuple[int, bytes]]) -> bytes:
    """Return the archive that holds the files of one node, each with its permissions, in `/node`."""
    entries = [Entry("node", stat.S_IFDIR | 0o755)]
    entries += [Entry(f"node/{name}", stat.S_IFREG | mode, content) for name, (mode, content) in sorted(files.items())]
    return archive(entries)


def _record(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    head = MAGIC + b"".join(b"%08X" % field for field in fields) + name
    return _aligned(head) + _aligned(entry.content)


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGN)
