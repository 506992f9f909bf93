"""A machine of a test whose kernel has fs-verity: the kernel and image of virtual nodes, and disks made for the test.

with running(place, given) as machine:
    seen = machine.hear()
"""

import importlib.util
import json
import py_compile
import select
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.compute.providers import image, qemu
from ringfence.kernel.errors import RingfenceError

SECONDS = 400.0  # for an answer of a machine that is emulated beside other work
GUEST = "ringfence.testing.verity_guest"
MEBIBYTE = 2**20
DISKS: Mapping[str, tuple[str, ...]] = {
    "held": ("-O", "verity", "-b", "4096"),
    "plain": ("-O", "^verity", "-b", "4096"),
}
DISK_SIZE = 24 * MEBIBYTE
# The image of virtual nodes lies below everything, unchanged; what is the test's own lies at /mnt in it.
INIT = """\
#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /sys /dev /new
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do busybox insmod "/modules/$module"; done </modules/order
tries=0
until [ -b /dev/vdc ] || [ "$tries" -ge 200 ]; do busybox sleep 0.05; tries=$((tries + 1)); done
busybox mount -t squashfs -o ro,nodev /dev/vda /new
busybox mount -t proc proc /new/proc
busybox mount --bind /dev /new/dev
busybox mount --bind /given /new/mnt
busybox mount -t tmpfs -o mode=1777 tmpfs /new/tmp
busybox chroot /new /usr/bin/python3 -I -B /mnt/guest.py
busybox poweroff -f
"""
STARTER = f"""\
import runpy, sys
sys.path.insert(0, "/mnt/python")
runpy.run_module("{GUEST}", run_name="__main__")
"""


def missing() -> str:
    """Say what keeps such a machine from being started; empty where nothing does."""
    try:
        for name in (qemu.PROGRAM, "mke2fs", "setpriv"):
            components.find(name)
        image.load(components.machine_files())
    except RingfenceError as error:
        return str(error)
    return ""


def disks(place: Path) -> dict[str, Path]:
    """Make the disks: one whose file system has fs-verity, and one without."""
    program = components.find("mke2fs")
    found = {}
    for name, options in DISKS.items():
        found[name] = place / f"{name}.img"
        with found[name].open("xb") as file:
            file.truncate(DISK_SIZE)
        subprocess.run(  # noqa: S603 -- found, not typed
            [str(program.path), "-q", "-F", "-t", "ext4", *options, str(found[name])],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **program.environment},
            stdin=subprocess.DEVNULL, check=True, timeout=60,
        )  # fmt: skip
    return found


def initrd(place: Path, given: Mapping[str, bytes]) -> Path:
    """Write the first file system: that of virtual nodes, with another first program and the test's files behind it."""
    shared = image.load(components.machine_files())
    files = {f"given/{name}": data for name, data in given.items()}
    files |= {f"given/python/{name}": data for name, data in _modules(place).items()}
    files |= {"given/guest.py": STARTER.encode()}
    folders = sorted({str(parent) for name in files for parent in Path(name).parents if str(parent) != "."})
    entries = [image.Entry(name, stat.S_IFDIR | 0o755) for name in folders]
    entries += [image.Entry(name, stat.S_IFREG | 0o644, data) for name, data in sorted(files.items())]
    entries += [image.Entry("init", stat.S_IFREG | 0o755, INIT.encode())]
    into = place / "initrd"
    into.write_bytes(shared.initrd.read_bytes() + image.archive(entries))
    return into


def _modules(place: Path) -> dict[str, bytes]:
    """Return the modules of ours that the guest imports, with their bytecode: an emulated machine compiles slowly."""
    script = f"import sys, {GUEST}; print(*(name for name in sys.modules if name.partition('.')[0] == 'ringfence'))"
    done = subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603
    found: dict[str, bytes] = {}
    for name in done.stdout.split():
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        source, inside = Path(spec.origin), f"{name.replace('.', '/')}"
        folder, stem = (inside, "__init__") if source.stem == "__init__" else (str(Path(inside).parent), source.stem)
        kept = place / "bytecode"
        py_compile.compile(
            str(source), str(kept), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        found[f"{folder}/{stem}.py"] = source.read_bytes()
        found[f"{folder}/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"] = kept.read_bytes()
    return found


@dataclass
class Machine:
    """A machine that runs, and the conversation with what was started in it."""

    process: "subprocess.Popen[bytes]"
    port: socket.socket
    console: Path
    _read: bytearray = field(default_factory=bytearray)

    def hear(self) -> dict[str, Any]:
        """Return the next document; where none comes, show what the console said."""
        deadline = time.monotonic() + SECONDS
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            ready = select.select([self.port], [], [], left)[0] if left > 0 else []
            piece = self.port.recv(65_536) if ready else b""
            if not piece:
                raise AssertionError(f"the machine says nothing; its console: {self.console.read_text()[-3000:]}")
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def go_on(self) -> None:
        """Tell it that the disk was changed."""
        self.port.sendall(b".")


@contextmanager
def running(place: Path, made: Mapping[str, Path], given: Mapping[str, bytes]) -> Iterator[Machine]:
    """Run the machine, emulated, with these disks in their order and these files of the test."""
    shared, found = image.load(components.machine_files()), qemu.emulator()
    console, first = place / "console.log", initrd(place, given)
    ours, theirs = socket.socketpair()
    argv = [
        str(components.find("setpriv").path), "--no-new-privs", "--pdeathsig=KILL", str(found.program.path),
        "-name", f"guest=ringfence-test-verity={place.name}",
        *(part for directory in found.directories for part in ("-L", str(directory))),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", qemu.MACHINE,
        "-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max", "-m", "384", "-sandbox", qemu.SANDBOX,
        "-kernel", str(shared.kernel), "-initrd", str(first), "-append", qemu.QUIET,
        *_drives([(shared.disk, True), *((path, False) for path in made.values())]),
        "-serial", f"file:{console}",
        "-chardev", f"socket,id=port,fd={theirs.fileno()}", "-serial", "chardev:port",
    ]  # fmt: skip
    environment = {"LC_ALL": "C", **found.program.environment}
    if found.modules:
        environment["QEMU_MODULE_DIR"] = str(found.modules)
    with ours, theirs:
        process = subprocess.Popen(  # noqa: S603 -- an argument list, no shell
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        with process:
            try:
                yield Machine(process, ours, console)
            finally:
                process.kill()


def _drives(paths: Sequence[tuple[Path, bool]]) -> Iterator[str]:
    """Give the arguments of disks, each with whether it is for reading only."""
    for number, (path, read_only) in enumerate(paths):
        kept = f"read-only={'on' if read_only else 'off'},file.driver=file,file.filename={path},file.locking=off"
        yield from ("-blockdev", f"driver=raw,node-name=d{number},{kept}")
        yield from ("-device", f"virtio-blk-pci,drive=d{number}")
