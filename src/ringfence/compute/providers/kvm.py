"""Whether the processor's own virtualisation works here: a device file is no proof, a guest that boots is.

In a machine that is itself virtual, `/dev/kvm` may open and yet hang every guest. So a guest that only says one word is
started once per boot of the host; if it does not say it in time, machines are emulated.
"""

import json
import os
import select
import time
from contextlib import suppress
from pathlib import Path

from ringfence.compute.providers import qemu, users
from ringfence.compute.providers.image import Image
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.storage.files import PRIVATE, read_bounded, write_whole
from ringfence.storage.users import can_be_given

DEVICE = qemu.KVM
BOOT = Path("/proc/sys/kernel/random/boot_id")
WORD = b"ringfence-guest-lives"
SECONDS = 5.0  # a guest that works says its word within one
RESULT = ".kvm.json"
LARGEST = 4096
PROBE_MIB = 128


def acceleration(directory: Path, image: Image, *, device: Path = DEVICE) -> str:
    """Return "kvm" where a guest has booted with it since the host did, else "tcg"; tries it where nobody has."""
    known = cached(directory, device=device)
    if known:
        return known
    found = "kvm" if _boots(image) else "tcg"
    facts = {"subject": _subject(), "acceleration": found}
    write_whole(directory / RESULT, json.dumps(facts).encode(), mode=PRIVATE)
    return found


def cached(directory: Path, *, device: Path = DEVICE) -> str:
    """Return what was found since the host's boot with this emulator; empty where nothing was tried."""
    if not os.access(device, os.R_OK | os.W_OK):
        return "tcg"
    with suppress(RingfenceError, ValueError, AttributeError):
        facts = json.loads(read_bounded(directory / RESULT, limit=LARGEST))
        if facts.get("subject") == _subject() and facts.get("acceleration") in {"kvm", "tcg"}:
            return str(facts["acceleration"])
    return ""


def _subject() -> str:
    """Name this boot of the host and this emulator."""
    program = qemu.emulator().program.path
    seen = program.stat()
    return f"{BOOT.read_text().strip()} {program} {seen.st_size} {seen.st_mtime_ns}"


def _boots(image: Image) -> bool:
    """Return whether the probe guest says its word."""
    try:
        with qemu.probe(image, memory_mib=PROBE_MIB, uid=_user()) as console:
            return _hears(console.fileno(), time.monotonic() + SECONDS)
    except Unavailable:
        return False


def _user() -> int | None:
    return users.MACHINES[-1] if can_be_given(users.MACHINES) else None


def _hears(source: int, deadline: float) -> bool:
    said = b""
    while select.select([source], [], [], max(0.0, deadline - time.monotonic()))[0]:
        piece = os.read(source, LARGEST)
        said = (said + piece)[-LARGEST:]
        if not piece or WORD in said:
            break
    return WORD in said
