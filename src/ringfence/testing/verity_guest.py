"""What runs in a test's machine whose kernel has fs-verity: the product's own code, on disks that can hold files so.

Only ever started in a machine that a test made, by `ringfence.testing.verity_machine`. It tells what it saw by lines of
JSON on its second serial port, and hears there that the disk was changed from outside.
"""

import errno
import hashlib
import json
import os
import traceback
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ringfence.artifacts.models import keys, verity
from ringfence.artifacts.models.blobs import VerifiedModel, hash_of, model_folder, verified
from ringfence.artifacts.models.contents import FROZEN, Contents
from ringfence.artifacts.models.model import SIGNATURE
from ringfence.compute.providers.launch import MS_NOSUID, checked, libc, mount
from ringfence.kernel.errors import RingfenceError

PORT = "/dev/ttyS1"
GIVEN = Path("/mnt")  # the test's own files: a signed model and its public key
OWNER = 1000  # whose files they are; root only mounts
# Folders of the image over which the disks are mounted; the last one is a file system in memory.
PLACES = {"held": Path("/home"), "plain": Path("/run"), "memory": Path("/tmp")}  # noqa: S108
DISKS = {"/dev/vdb": "held", "/dev/vdc": "plain"}
HELD = PLACES["held"]
SIZES = (0, 1, 4096, 4097, 128 * 4096, 128 * 4096 + 1)
SPARSE = 128 * 128 * 4096 + 1  # zeros, of which the disk keeps none; its tree has three levels


def content(size: int) -> Iterator[bytes]:
    """Give the bytes of a file of this size."""
    yield ((b"%08d" % size) * (size // 8 + 1))[:size]


def main() -> None:
    """Use the disks, say what was seen, wait until they were changed from outside, and use them again."""
    with open(PORT, "r+b", buffering=0) as port:  # noqa: PTH123
        tty.setraw(port.fileno())
        for device, name in DISKS.items():
            mount(device, str(PLACES[name]), "ext4", MS_NOSUID)
            os.chown(PLACES[name], OWNER, OWNER)
        _tell(port, _as_owner(_first) | {"root": _write(HELD / "4096")})
        checked(libc.umount2(str(HELD).encode(), 0), "umount")
        _tell(port, {"unmounted": True})
        port.read(1)
        mount("/dev/vdb", str(HELD), "ext4", MS_NOSUID)
        _tell(port, _as_owner(_second))


def _tell(port: Any, document: dict[str, Any]) -> None:
    port.write(json.dumps(document).encode() + b"\n")


def _as_owner(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Look as a user without privileges, in a child."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.setgroups([])
            os.setresgid(OWNER, OWNER, OWNER)
            os.setresuid(OWNER, OWNER, OWNER)
            os.write(writing, json.dumps(look()).encode())
        except Exception:  # noqa: BLE001 -- whatever it is, the console shows it, and the test has no answer
            traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said: dict[str, Any] = json.loads(file.read())
    os.wait()
    return said


def _first() -> dict[str, Any]:
    return {
        "kernel": os.uname().release,
        "probed": {name: verity.probe(place) for name, place in PLACES.items()},
        "files": {str(size): _made(size) for size in (*SIZES, SPARSE)},
        "again": verity.enabled(HELD / "4096", FROZEN),
        "while open": _while_open(),
        "plain": _made(4096, PLACES["plain"]),
        "owner": _write(HELD / "4096"),
        "loaded": _imported(),
    }


def _made(size: int, place: Path = HELD) -> dict[str, Any]:
    """Write a file, and have the kernel hold it."""
    path = place / str(size)
    with path.open("wb") as file:
        if size == SPARSE:
            file.truncate(size)
        else:
            file.writelines(content(size))
    held = verity.enabled(path, FROZEN)
    with path.open("rb") as file:
        digest = verity.measured(file.fileno())
    return {"held": held, "digest": digest.hex() if digest else "", "mode": path.stat().st_mode & 0o777}


def _while_open() -> dict[str, Any]:
    """Ask for it while somebody can still write to the file."""
    path = HELD / "open"
    with path.open("wb") as writer:
        writer.write(b"weights")
        writer.flush()
        held = verity.enabled(path, FROZEN)
        with path.open("rb") as reader:
            return {"held": held, "measured": verity.measured(reader.fileno()) is not None}


def _write(path: Path) -> str:
    """Try to write to a file, and to cut it off, with the permission to; return how that is refused."""
    path.chmod(0o600)
    try:
        return f"{_errno(lambda: os.close(os.open(path, os.O_RDWR)))} {_errno(lambda: os.truncate(path, 1))}"
    finally:
        path.chmod(FROZEN)


def _errno(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


def _imported() -> dict[str, str]:
    """Store the model as an import does, and load it."""
    contents = Contents(HELD / "contents", lambda: 0)
    with model_folder(GIVEN / "model") as folder:
        for name in (*folder.names(), SIGNATURE):
            with folder.content(name) as opened:
                contents.place(contents.take(opened), HELD / "model" / name)
    return _loaded()


def _loaded() -> dict[str, str]:
    """Load each file of the model; return the digest of what came, or why nothing did."""
    public = keys.parse_public((GIVEN / "key.pem").read_bytes())
    with verified(HELD / "model", [public]) as model:
        return {name: _said(lambda name=name: _memory(model, name)) for name in model.names()}  # type: ignore[misc]


def _checked() -> dict[str, str]:
    """Hash each file by itself, as whoever only looks at a model does."""

    def one(name: str) -> str:
        with model_folder(HELD / "model") as folder, folder.content(name) as opened:
            return hash_of(opened).digest.hex

    return {path.name: _said(lambda name=path.name: one(name)) for path in (GIVEN / "model").iterdir()}  # type: ignore[misc]


def _memory(model: VerifiedModel, name: str) -> str:
    with os.fdopen(model.memfd(name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _said(act: Callable[[], str]) -> str:
    try:
        return act()
    except RingfenceError as error:
        return f"{type(error).__name__}: {error}"


def _second() -> dict[str, Any]:
    names = [path.name for path in sorted((GIVEN / "model").iterdir())]
    return {
        "loaded": _loaded(),
        "checked": _checked(),
        "read": {name: _errno(lambda name=name: _read(name)) for name in names},  # type: ignore[misc]
        "measured": {name: _digest(name) for name in names},
    }


def _read(name: str) -> None:
    with (HELD / "model" / name).open("rb", buffering=0) as file:
        while file.read(2**20):
            pass


def _digest(name: str) -> str:
    with (HELD / "model" / name).open("rb") as file:
        digest = verity.measured(file.fileno())
    return digest.hex() if digest else ""


if __name__ == "__main__":
    main()
