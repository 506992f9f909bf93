"""Which boot loader, kernel, initrd and command line a log's digests stand for, held against reference values.

Types and data of events are not signed, so that whoever hands over a log may relabel them. What cannot be forged is the
list of digests of each PCR. So each digest in the PCRs of added drivers, loaders and kernels has to be explained: by a
reference value under its label, or as the digest of one of a few fixed texts. A relabelled event is then right under
both labels, or refused.

Source: TCG, PC Client Platform Firmware Profile, 1.05, 3.3.4 and 10.4; Linux, drivers/firmware/efi/libstub (initrd and
load options in PCR 9); Microsoft, PE format, Authenticode digests.
"""

import hashlib
from collections.abc import Iterable, Mapping

from ringfence.attestation.cursor import Cursor
from ringfence.attestation.event_log import NO_ACTION, Event
from ringfence.kernel.errors import MalformedInput, VerificationFailed

KERNEL, INITRD, COMMAND_LINE = "kernel", "initrd", "cmdline"
NAMES = (KERNEL, INITRD, COMMAND_LINE)
_SEPARATOR, _TAGGED, _APPLICATION = 0x00000004, 0x00000006, 0x80000003
_TAGS = {0x8F3B22EC: INITRD, 0x8F3B22ED: COMMAND_LINE}
_LOADERS, _KERNELS = 4, 9
# 2: drivers that devices or settings add to the firmware; 8: what a loader was told
JUDGED = frozenset({2, _LOADERS, 8, _KERNELS})
_PLAIN = frozenset(
    hashlib.sha256(data).digest()
    for data in (
        bytes(4),  # a separator
        b"Calling EFI Application from Boot Option",
        b"Returning from EFI Application from Boot Option",
        b"Exit Boot Services Invocation",
        b"Exit Boot Services Returned with Success",
    )
)
_DEBUGGED = hashlib.sha256(b"UEFI Debug Mode").digest()
_BROKEN = hashlib.sha256((1).to_bytes(4, "little")).digest()  # a separator after an error
FIRMWARE_PCRS = frozenset(range(8))


def named(event: Event) -> str:
    """Return which of `NAMES` an event says it is; empty for any other."""
    if event.pcr == _LOADERS and event.kind == _APPLICATION:
        return KERNEL
    if event.pcr == _KERNELS and event.kind == _TAGGED and len(event.data) >= 8:
        return _TAGS.get(int.from_bytes(event.data[:4], "little"), "")
    return ""


def digests(events: Iterable[Event]) -> dict[str, list[str]]:
    """Return the digests of loaders and kernel, initrd and command line, in their order."""
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    for event in events:
        if name := named(event):
            found[name].append(event.digest.hex())
    return found


def check(events: list[Event], expected: Mapping[str, frozenset[bytes]], settled: frozenset[int]) -> None:
    """Raise `VerificationFailed` unless each digest in the PCRs `JUDGED` is explained.

    `settled` are PCRs whose whole value was compared with a reference value already.
    """
    seen: set[str] = set()
    for event in events:
        if event.kind == NO_ACTION or event.pcr not in JUDGED:
            continue
        name = named(event)
        if name in expected:
            seen.add(name)
            if event.digest not in expected[name]:
                raise VerificationFailed(f"the {name} that was started has another digest than expected")
        elif event.digest not in _PLAIN and event.pcr not in settled:
            raise VerificationFailed(f"PCR {event.pcr} was extended by something that no reference value describes")
    if missing := [name for name in expected if name not in seen]:
        raise VerificationFailed(f"the event log shows no {' and no '.join(missing)}")


def is_debugged(events: Iterable[Event]) -> bool:
    """Return whether the firmware says that a debugger may be attached; told by the digest, whatever the label."""
    return any(event.digest == _DEBUGGED and event.kind != NO_ACTION for event in events)


def is_broken(events: Iterable[Event]) -> bool:
    """Return whether the firmware says that measuring failed."""
    return any(event.digest == _BROKEN and event.pcr in FIRMWARE_PCRS and event.kind != NO_ACTION for event in events)


def command_line_digest(text: str) -> bytes:
    """Return what Linux 6 measures for this command line when firmware starts it: UTF-16 with its end mark."""
    return hashlib.sha256((text + "\0").encode("utf-16-le")).digest()


def image_digest(image: bytes) -> bytes:
    """Return what firmware measures for a PE image, a kernel for instance: its Authenticode digest.

    Raises:
        MalformedInput: it is no PE image.
    """
    cursor = Cursor(image, "the PE image")
    if cursor.take(2, "the mark") != b"MZ" or len(image) < 0x40:
        raise MalformedInput("the file is no PE image")
    head = int.from_bytes(image[0x3C:0x40], "little")
    cursor.at = min(head, len(image))
    if cursor.take(4, "the mark") != b"PE\0\0":
        raise MalformedInput("the file is no PE image")
    cursor.take(2, "the machine")
    sections = cursor.little(2, "the number of sections")
    cursor.take(12, "the rest of the header")
    optional_size = cursor.little(2, "the size of the optional header")
    cursor.take(2, "the flags")
    return _hashed(image, cursor.at, optional_size, sections)


def _hashed(image: bytes, optional: int, optional_size: int, sections: int) -> bytes:
    cursor = Cursor(image, "the PE image")
    cursor.at = optional
    magic = cursor.little(2, "the kind of the optional header")
    if magic not in {0x10B, 0x20B}:
        raise MalformedInput("the PE image: its optional header is of no known kind")
    checksum = optional + 64
    directories = optional + (112 if magic == 0x20B else 96)
    cursor.at = optional + 60
    headers = cursor.little(4, "the size of the headers")
    count = int.from_bytes(image[directories - 4 : directories], "little")
    certificates = directories + 4 * 8
    has_table = count > 4 and certificates + 8 <= optional + optional_size
    hashed = hashlib.sha256(image[:checksum])
    if has_table:
        hashed.update(image[checksum + 4 : certificates])
        hashed.update(image[certificates + 8 : headers])
        signed = int.from_bytes(image[certificates + 4 : certificates + 8], "little")
    else:
        hashed.update(image[checksum + 4 : headers])
        signed = 0
    done = headers
    for offset, size in _sections(image, optional + optional_size, sections):
        hashed.update(image[offset : offset + size])
        done += size
    hashed.update(image[done : len(image) - signed])
    return hashed.digest()


def _sections(image: bytes, at: int, count: int) -> list[tuple[int, int]]:
    cursor = Cursor(image, "the PE image")
    cursor.at = min(at, len(image))
    found: list[tuple[int, int]] = []
    for _ in range(count):
        entry = cursor.take(40, "a section")
        size, offset = int.from_bytes(entry[16:20], "little"), int.from_bytes(entry[20:24], "little")
        if offset + size > len(image):
            raise MalformedInput("the PE image: a section lies beyond its end")
        if size:
            found.append((offset, size))
    return sorted(found)
