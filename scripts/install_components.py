"""Fetch the programs of others that Ringfence starts, and build the image of its virtual machines.

On Debian, as any user: packages by name, checked against the signed index, unpacked (never installed) into
`.tools/debian/`; nothing of the system is touched. Elsewhere the programs must be on the PATH. Always ends with 0: what
cannot be had is named here, and again by the feature that needs it.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import build_image
from debian_packages import Apt, Package, stored, unpack

from ringfence import components
from ringfence.compute.providers import firmware, image
from ringfence.kernel.errors import RingfenceError, Unavailable

PLACE = Path(__file__).resolve().parents[1] / ".tools/debian"
NETWORK = ("nftables", "bubblewrap", "iproute2", "tcpdump", "openssh-server", "openssh-client", "openssh-sftp-server")
EMULATOR = ("qemu-system-x86", "squashfs-tools", "swtpm", "swtpm-libs")
KERNEL = ("linux-image-cloud-amd64",)
GUEST = (
    "bash", "busybox-static", "openssh-server", "openssh-sftp-server", "python3-minimal", "libpython3-stdlib",
)  # fmt: skip
# The C library is the host's own: a second one beside it would not fit its loader.
HOST_HAS = ("libc6", "libgcc-s1")
SKIPPED = (
    "usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/lintian/", "usr/share/bug/", "usr/share/info/",
    "usr/share/bash-completion/", "usr/share/pam", "usr/share/apport/", "usr/share/zsh/", "usr/lib/systemd/",
    "usr/lib/x86_64-linux-gnu/gconv/", "usr/bin/qemu-system-i386", "usr/libexec/qemu-system-i386",
    "usr/bin/qemu-system-x86_64-", "lib/systemd/", "etc/", "var/",
)  # fmt: skip
# Only these files of these packages, and nothing that they depend on: what a machine without display reads.
SINGLE = {
    "ovmf": ("usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd"),
    "qemu-system-common": ("usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so",),
    "qemu-system-data": ("usr/share/qemu/linuxboot_dma.bin", "usr/share/qemu/kvmvapic.bin"),
    "seabios": ("usr/share/seabios/bios-256k.bin", "usr/share/seabios/bios.bin"),
}
PROGRAMS = ("nft", "bwrap", "sshd", "ssh", "ssh-keygen", "sftp-server", "ip", "unshare", "nsenter", "tcpdump")
STARTED = time.monotonic()


def say(text: str) -> None:
    """Print a line of progress at once, with the seconds since the start."""
    print(f"components: {time.monotonic() - STARTED:5.1f} s  {text}", flush=True)


def main() -> None:
    """Fetch what is not there; name what is missing afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-vm", action="store_true", help="no emulator and no image of virtual machines")
    parser.add_argument("--upgrade", action="store_true", help="ask for newer packages")
    chosen = parser.parse_args()
    os.umask(0o022)  # a node's own user reads what is unpacked here, and the image must not depend on who makes it
    try:
        with only_one():
            install(with_vm=not chosen.without_vm, upgrade=chosen.upgrade)
    except (RingfenceError, OSError, StopIteration) as problem:
        say(f"not installed: {problem}")
    missing = [name for name in PROGRAMS if not components.present(name)]
    missing += [] if chosen.without_vm else list(_missing_of_machines())
    print(f"components: missing: {', '.join(missing)}" if missing else "components: everything is here", flush=True)


def _missing_of_machines() -> Iterator[str]:
    try:
        components.find("qemu-system-x86_64")
        image.load(components.machine_files())
    except Unavailable as problem:
        yield f"virtual machines ({problem})"
        return
    try:
        components.find("swtpm")
        firmware.firmware_files()
    except Unavailable as problem:
        yield f"measured virtual machines ({problem})"


def install(*, with_vm: bool, upgrade: bool) -> None:
    """Bring the tree up to date; it appears whole or not at all."""
    stamp, recipe = PLACE / "root/stamp.json", _recipe(with_vm=with_vm)
    known = _known(stamp)
    if known.get("recipe") == recipe and not upgrade:
        return
    if not all(shutil.which(name) for name in ("apt-get", "apt-cache", "dpkg-deb")) or os.uname().machine != "x86_64":
        raise Unavailable("this is no Debian on x86-64; programs are taken from the PATH")
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="new-") as scratch:
        parts = fetch(Path(scratch), with_vm=with_vm)
        facts = {"recipe": recipe, "packages": _versions(*parts.values())}
        if facts == known:
            say("these are the newest packages")
            return
        new = assemble(Path(scratch), parts)
        (new / "stamp.json").write_text(json.dumps(facts, indent=1) + "\n")
        _exchange(new, PLACE / "root")
    shutil.rmtree(PLACE / "archives")
    say(f"ready in {PLACE / 'root'}")


def _known(stamp: Path) -> dict[str, object]:
    """Return what the tree says of itself; where it says nothing that can be read, it is made anew."""
    try:
        known = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def fetch(scratch: Path, *, with_vm: bool) -> dict[str, list[Package]]:
    """Find out which packages are needed, and fetch those that an earlier, interrupted run did not."""
    apt = Apt(scratch)
    say("asking for the package index")
    if problem := apt.update():
        say(f"no fresh index ({problem}); taking the system's")
    tools = NETWORK + (EMULATOR if with_vm else ())
    parts = {"tools": apt.closure(tools, without=HOST_HAS)}
    if with_vm:
        parts["tools"] += apt.named(tuple(SINGLE))
        parts |= {"kernel": apt.closure(KERNEL), "guest": apt.closure(GUEST)}
    every = [package for part in parts.values() for package in part]
    archives = PLACE / "archives"
    archives.mkdir(exist_ok=True)
    size = sum({package["Package"]: int(package["Size"]) for package in every}.values())
    say(f"fetching {len(_versions(every))} packages, {size // 10**6} MB")
    apt.download(every, archives)
    return parts


def assemble(scratch: Path, parts: dict[str, list[Package]]) -> Path:
    """Unpack the packages, and build the image where there is a kernel; return the new tree."""
    say("unpacking")
    for name, packages in parts.items():
        (scratch / name).mkdir()
        for package in packages:
            unpack(stored(package, PLACE / "archives"), scratch / name, _chooser(package["Package"]))
    if "kernel" in parts:
        say("building the image of virtual machines")
        machine = scratch / "tools" / components.MACHINE
        versions = _versions(parts["kernel"], parts["guest"]) | build_image.wheels()
        digest = build_image.build(scratch / "guest", scratch / "kernel", scratch / "tools", machine, versions)
        say(f"image sha256:{digest}")
    return scratch / "tools"


def _chooser(package: str) -> Callable[[str], bool]:
    """Return which files of a package are wanted."""
    if package in SINGLE:
        return lambda path: path in SINGLE[package]
    return lambda path: not path.startswith(SKIPPED)


def _versions(*parts: list[Package]) -> dict[str, str]:
    return {package["Package"]: package["Version"] for part in parts for package in part}


def _recipe(*, with_vm: bool) -> str:
    """Return a digest over everything here that decides what the tree holds."""
    here = Path(__file__).resolve().parent
    sources = [here / "install_components.py", here / "debian_packages.py", here / "build_image.py"]
    sources += [*sorted((here / "guest").iterdir()), Path(image.__file__), *build_image.agent_sources().values()]
    whole = hashlib.sha256(f"{with_vm} {build_image.wheels()}".encode())
    for path in sources:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _exchange(new: Path, place: Path) -> None:
    """Put the new tree where the old one is; what runs from the old one keeps its files until it ends."""
    old = new.parent / "old"
    if place.exists():
        place.rename(old)
    new.rename(place)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of the tree; sweep what an interrupted run left."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in PLACE.glob("new-*"):
            shutil.rmtree(left)
        yield


if __name__ == "__main__":
    main()
