import hashlib
import struct

import pytest

from ringfence.attestation import boot, event_log
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import booted, event


def digest(data):
    return hashlib.sha256(data).digest()


RIGHT = {
    name: frozenset({digest(data)})
    for name, data in (("kernel", b"kernel"), ("initrd", b"initrd"), ("cmdline", b"quiet"))
}


def check(events, expected=None, settled=()):
    boot.check(events, RIGHT if expected is None else expected, frozenset(settled))


def test_a_real_boot_shows_the_digests_of_the_files_it_was_given():
    machine = samples.machine()
    shown = boot.digests(event_log.parse(machine["eventLog"]))
    assert shown["initrd"] == [machine["initrd"]]
    assert shown["cmdline"] == [boot.command_line_digest(machine["cmdline"]).hex()]
    assert len(shown["kernel"]) == 1
    check(
        event_log.parse(machine["eventLog"]),
        {name: frozenset(bytes.fromhex(item) for item in items) for name, items in shown.items()},
    )


def test_what_is_expected_is_found():
    check(booted())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kernel": b"evil"}, "the kernel"),
        ({"initrd": b"evil"}, "the initrd"),
        ({"line": b"init=/bin/sh"}, "the cmdline"),
    ],
)
def test_another_kernel_initrd_or_command_line_is_refused(changed, why):
    with pytest.raises(VerificationFailed, match=why):
        check(booted(**changed))


def test_a_second_loader_is_refused_whatever_its_label():
    evil = event(4, 0x80000003, b"image", digest(b"evil"))
    for label in (0x80000003, 0x00000004, 0x80000007, 0x0000000D):
        relabelled = event_log.Event(4, label, evil.digest, evil.data)
        with pytest.raises(VerificationFailed):
            check([*booted(), relabelled])
        if label != 0x80000003:  # a whole value that was compared explains every event in it
            check([*booted(), relabelled], settled=[4])


@pytest.mark.parametrize("number", [2, 4, 8, 9])
def test_whatever_else_was_started_or_said_is_refused(number):
    """A driver that settings add to the firmware is measured into PCR 2 alone; GRUB's command line into PCR 8."""
    added = event(number, 0x80000004, b"driver", digest(b"evil"))
    with pytest.raises(VerificationFailed, match=f"PCR {number} was extended"):
        check([added, *booted()])
    check([added, *booted()], settled=[number])


def test_a_relabelled_event_explains_nothing():
    swapped = [
        event_log.Event(item.pcr, 4, item.digest, bytes(4)) if boot.named(item) == "initrd" else item
        for item in booted()
    ]
    with pytest.raises(VerificationFailed):
        check(swapped)


def test_what_is_missing_is_named():
    with pytest.raises(VerificationFailed, match="no initrd"):
        check([item for item in booted() if boot.named(item) != "initrd"])


def test_a_debugger_and_a_broken_measurement_are_seen_under_any_label():
    for kind in (0x80000007, 0x80000001):
        assert boot.is_debugged([event(7, kind, b"UEFI Debug Mode")])
    assert not boot.is_debugged(booted())
    assert boot.is_broken([event(2, 4, (1).to_bytes(4, "little"))])
    assert not boot.is_broken(booted())


def image(*, certificate=b"", body=b"b" * 512):
    """Make the smallest PE image of 64 bits with one section."""
    optional = struct.pack("<H", 0x20B) + bytes(58) + struct.pack("<I", 512) + struct.pack("<I", 0xC0FFEE) + bytes(40)
    optional += struct.pack("<I", 16)
    table = struct.pack("<II", 512 + len(body), len(certificate)) if certificate else bytes(8)
    optional += bytes(4 * 8) + table + bytes(11 * 8)
    head = (
        b"MZ"
        + bytes(58)
        + struct.pack("<I", 64)
        + b"PE\0\0"
        + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0)
    )
    section = b".text\0\0\0" + struct.pack("<IIII", len(body), 0x1000, len(body), 512) + bytes(16)
    return (head + optional + section).ljust(512, b"\0") + body + certificate


def test_the_digest_of_an_image_leaves_out_checksum_and_signature():
    plain, signed = image(), image(certificate=b"c" * 64)
    assert boot.image_digest(plain) == boot.image_digest(plain.replace(struct.pack("<I", 0xC0FFEE), bytes(4)))
    assert boot.image_digest(signed) == boot.image_digest(image(certificate=b"d" * 64))
    assert boot.image_digest(plain) == boot.image_digest(signed)
    assert boot.image_digest(plain) != boot.image_digest(image(body=b"c" * 512))


@pytest.mark.parametrize("data", [b"", b"MZ", b"ELF" * 100, b"MZ" + bytes(200), image()[:100], image()[:700]])
def test_what_is_no_image(data):
    with pytest.raises(MalformedInput):
        boot.image_digest(data)
