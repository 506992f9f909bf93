"""QEMU as an unprivileged process without a network, a file system right or a child of its own.

Everything it works with is handed over as open files: the shared image, the node's own first file system (in memory
only, since the host key is in it), the tap, the log pipes and the listening control socket. So its user on the host
needs no right to any path of ours, and has none.
"""

import math
import os
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from ringfence import components
from ringfence.compute.providers import processes
from ringfence.compute.providers.image import Image
from ringfence.kernel.errors import Unavailable

PROGRAM = "qemu-system-x86_64"
ROM_DIRECTORIES = ("usr/share/qemu", "usr/share/seabios")
# The clock is the HPET: on a busy host an emulated machine measures its processor's frequency wrong, and with that its
# clock ran 2.6 to 16 times too fast (seen in 3 of 12 starts), so that certificates were over before they were shown.
QUIET = "quiet loglevel=3 console=ttyS0 panic=-1 ipv6.disable=1 no_timer_check tsc=unstable"
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
MACHINE = "q35,usb=off,vmport=off,hpet=on,graphics=off,dump-guest-core=off"
DISK = "driver=raw,node-name=disk,read-only=on,file.driver=file,file.filename=/dev/fdset/1,file.locking=off"
CPU_PERCENT = 100
DETACH_SECONDS = 10
APPEARS_WITHIN = 0.5  # seconds
HUB = 0
KVM = Path("/dev/kvm")
WORDS = "opt/ringfence/node"  # where firmware configuration holds what makes a measured machine one node


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator of the unpacked tree or of the system, and the directories that it reads."""

    program: components.Component
    root: Path

    @property
    def directories(self) -> list[Path]:
        """Return where its boot programs lie."""
        return [path for name in ROM_DIRECTORIES if (path := self.root / name).is_dir()]

    @property
    def modules(self) -> Path | None:
        """Return where the parts lie that it loads when it starts."""
        return next(iter(sorted(self.root.glob("usr/lib/*-linux-gnu/qemu"))), None)


def emulator() -> Emulator:
    """Find QEMU; raise `Unavailable` where there is none."""
    program = components.find(PROGRAM)
    return Emulator(program, program.path.parents[2])


@dataclass(slots=True)
class Handed:
    """Open files that the emulator inherits, each under the name by which it opens them."""

    descriptors: list[int] = field(default_factory=list)

    def path(self, descriptor: int) -> str:
        """Hand a file over; it opens this path."""
        self.descriptors.append(descriptor)
        return f"/proc/self/fd/{descriptor}"

    def number(self, descriptor: int) -> int:
        """Hand a file over by its number."""
        self.descriptors.append(descriptor)
        return descriptor


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine to be started."""

    marker: str
    memory_mib: int
    cpus_percent: int
    kernel_words: str  # of one node, for the kernel command line
    acceleration: str  # "tcg" or "kvm"
    uid: int | None  # None: our own user


@dataclass(frozen=True, slots=True)
class Measuring:
    """What a machine has besides, whose firmware measures what it starts; the first is a path, the rest open files."""

    firmware: Path
    variables: int  # of the firmware, this machine's own
    tpm: int  # control channel of its software TPM
    words: int  # what makes it one node


@dataclass(frozen=True, slots=True)
class Files:
    """Open files of one machine."""

    tap: int
    initrd: int
    log: int
    console: int
    monitor: int  # listening
    measuring: Measuring | None = None

    @property
    def own(self) -> set[int]:
        """Return all that the caller keeps."""
        found = {self.tap, self.initrd, self.log, self.console, self.monitor}
        return found | (
            {self.measuring.variables, self.measuring.tpm, self.measuring.words} if self.measuring else set()
        )


def arguments(machine: Machine, image: Image, files: Files, handed: Handed, directories: Sequence[str]) -> list[str]:
    """Return QEMU's arguments: no default device, no display, no other network than the tap."""
    processors = max(1, math.ceil(machine.cpus_percent / CPU_PERCENT))
    emulated = machine.acceleration == "tcg"
    accelerator = "tcg,thread=multi,tb-size=128" if emulated else "kvm"
    kernel = handed.path(_opened(image.kernel))
    board, devices = _disk(image, handed) if files.measuring is None else _measuring(files.measuring, handed)
    return [
        "-name", f"guest={machine.marker}",
        *(part for directory in directories for part in ("-L", directory)),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", f"{MACHINE}{board}", "-accel", accelerator, "-cpu", "max" if emulated else "host",
        "-smp", str(processors), "-m", str(machine.memory_mib), "-sandbox", SANDBOX,
        "-kernel", kernel, "-initrd", handed.path(files.initrd), "-append", f"{QUIET} {machine.kernel_words}",
        *devices,
        *_network(handed.number(files.tap)),
        "-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy",
        "-add-fd", f"fd={handed.number(files.console)},set=2",
        "-chardev", "file,id=console,path=/dev/fdset/2,append=on", "-serial", "chardev:console",
        "-chardev", f"socket,id=log,fd={handed.number(files.log)}",
        "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=log,name=sshd",
        "-chardev", f"socket,id=monitor,fd={handed.number(files.monitor)},server=on,wait=off",
        "-mon", "chardev=monitor,mode=control",
    ]  # fmt: skip


def _disk(image: Image, handed: Handed) -> tuple[str, list[str]]:
    """Return the arguments of the shared image as a disk."""
    disk = handed.number(_opened(image.disk))
    return "", ["-add-fd", f"fd={disk},set=1", "-blockdev", DISK, "-device", "virtio-blk-pci,drive=disk"]


def _measuring(files: Measuring, handed: Handed) -> tuple[str, list[str]]:
    """Return the arguments of firmware that measures, a TPM to measure into, and no disk."""
    code, variables = handed.number(_opened(files.firmware)), handed.number(files.variables)
    flash = "driver=raw,file.driver=file,file.locking=off"
    return ",pflash0=code,pflash1=variables", [
        "-add-fd", f"fd={code},set=3", "-add-fd", f"fd={variables},set=4",
        "-blockdev", f"{flash},node-name=code,read-only=on,file.filename=/dev/fdset/3",
        "-blockdev", f"{flash},node-name=variables,file.filename=/dev/fdset/4",
        "-chardev", f"socket,id=tpm,fd={handed.number(files.tpm)}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
        "-device", "tpm-tis,tpmdev=tpm0",
        "-fw_cfg", f"name={WORDS},file={handed.path(files.words)}",
    ]  # fmt: skip


def _network(tap: int) -> list[str]:
    """Return the arguments of a cable between the helper's tap and the guest, to which a probe can add a third end."""
    return [
        "-netdev", f"tap,id=tap,fd={tap}", "-netdev", f"hubport,id=end0,hubid={HUB},netdev=tap",
        "-netdev", f"hubport,id=end1,hubid={HUB}", "-device", "virtio-net-pci,netdev=end1,romfile=",
    ]  # fmt: skip


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def start(machine: Machine, image: Image, files: Files) -> processes.Process:
    """Start the emulator; the caller's files stay the caller's."""
    with _handing(files.own) as (handed, directories, program, environment):
        argv = [*confined(machine.uid, machine.acceleration), program]
        argv += arguments(machine, image, files, handed, directories)
        detach(argv, environment, stderr=files.console, inherited=handed.descriptors)
    return appeared(f"guest={machine.marker}")


def appeared(marker: str) -> processes.Process:
    """Return the process that was started; at the moment of an exec, and there are four, it shows no arguments."""
    deadline = time.monotonic() + APPEARS_WITHIN
    while not (seen := processes.marked(marker)) and time.monotonic() < deadline:
        time.sleep(0.002)
    if not seen:
        raise Unavailable("the emulator ended at once")
    return seen[0]


@contextmanager
def probe(image: Image, *, memory_mib: int, uid: int | None) -> Iterator[IO[bytes]]:
    """Run a guest with the processor's own virtualisation that has nothing but a console, and give what it says there.

    It ends with the block, and with the thread that entered it, should that be killed.
    """
    with _handing(set()) as (handed, directories, program, environment):
        argv = [
            *confined(uid, "kvm", "--pdeathsig=KILL"), program, "-name", f"guest=ringfence-probe={os.getpid()}",
            *(part for directory in directories for part in ("-L", directory)),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", MACHINE,
            "-accel", "kvm", "-cpu", "host", "-m", str(memory_mib), "-sandbox", SANDBOX,
            "-kernel", handed.path(_opened(image.kernel)), "-initrd", handed.path(_opened(image.probe)),
            "-append", QUIET, "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        ]  # fmt: skip
        try:
            running = subprocess.Popen(  # noqa: S603 -- an argument list, no shell
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=handed.descriptors,
                cwd="/",
                bufsize=0,
            )
        except OSError as error:
            raise Unavailable(f"the emulator does not start: {error}") from error
    with running:
        try:
            yield cast("IO[bytes]", running.stdout)
        finally:
            running.kill()


@contextmanager
def _handing(own: Collection[int]) -> Iterator[tuple[Handed, list[str], str, dict[str, str]]]:
    """Give the emulator's files, its directories, itself and its environment; close what is not the caller's."""
    found, handed = emulator(), Handed()
    try:
        environment = {"LC_ALL": "C", **_environment(found, handed)}
        program = handed.path(os.open(found.program.path, os.O_PATH | os.O_CLOEXEC))
        yield handed, [handed.path(directory(each)) for each in found.directories], program, environment
    finally:
        for number in set(handed.descriptors).difference(own):
            os.close(number)


def detach(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    inherited: Collection[int] = (),
) -> None:
    """Run a program in a session of its own, as nobody's child: it outlives us, and its end needs nobody to notice.

    Raises:
        Unavailable: it cannot be run.
    """
    try:
        subprocess.run(  # noqa: S603 -- an argument list, no shell
            [str(components.find("setsid").path), "--fork", *argv],
            env=environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=inherited,
            cwd="/",
            timeout=DETACH_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"`{Path(argv[0]).name}` does not start: {error}") from error


def confined(uid: int | None, acceleration: str, *more: str) -> list[str]:
    """Return the command that gives up network, user and every privilege before the emulator begins."""
    shut = [str(components.find("unshare").path), "--net", "--ipc", "--uts"]
    drop = [str(components.find("setpriv").path), "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *more]
    if uid is None:
        return [*shut, "--map-current-user", "--", *drop, "--"]
    groups = [f"--groups={KVM.stat().st_gid}"] if acceleration == "kvm" else ["--clear-groups"]
    return [*shut, "--", *drop, *groups, f"--regid={uid}", f"--reuid={uid}", "--"]


def directory(path: Path) -> int:
    """Open a directory, for its name only."""
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _environment(found: Emulator, handed: Handed) -> dict[str, str]:
    named = found.program.environment.get("LD_LIBRARY_PATH", "")
    libraries = [handed.path(directory(Path(path))) for path in named.split(os.pathsep) if path]
    environment = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
    if libraries and found.modules:
        environment["QEMU_MODULE_DIR"] = handed.path(directory(found.modules))
    return environment


def held(content: bytes) -> int:
    """Return an open file in memory with this content."""
    descriptor = os.memfd_create("node", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    return descriptor
