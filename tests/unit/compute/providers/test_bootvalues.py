"""Reference values that are computed: each as a real machine's log had it, and every input changes its own."""

import hashlib
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.providers import bootvalues, firmware
from ringfence.compute.providers.bootvalues import FIRMWARE, PROCESSORS, SIZES_MIB
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable

# Registers that an emulated machine with 512 MiB and one processor showed on 2026-11-23, with Debian's ovmf
# 2022.11-6+deb12u2; those that depend on kernel and first file system are in tests/system/test_measured_node.py.
SEEN = {
    1: "8e9d1fe23131f12d6a523e9c32eb3223d4dc25e14eb5fd60163e7ba8de0f248c",
    2: "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969",
    3: "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969",
    5: "a5ceb755d043f32431d63e39f5161464620a3437280494b5850dc1b47cc074e0",
    6: "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969",
    7: "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068",
}
DRIVERS = "82a0445201cb49945461acc6ed78426700fb7e92819862edc55ba3ad4559b135"


@pytest.fixture(scope="module")
def code():
    try:
        data = firmware.firmware_files()[0].read_bytes()
    except Unavailable as error:
        pytest.skip(str(error))
    if hashlib.sha256(data).hexdigest() not in FIRMWARE:
        pytest.skip("another build of the firmware than those that are known")
    return data


def test_the_firmware_s_registers_are_those_that_a_machine_showed(code):
    found = bootvalues.firmware(code)
    assert {number: {value.hex() for value in values} for number, values in found.items() if number} == {
        number: {value} for number, value in SEEN.items()
    }
    assert len(found[0]) == len(SIZES_MIB) * len(PROCESSORS)
    assert bootvalues.drivers(code).hex() == DRIVERS


def test_every_size_of_every_known_firmware_has_its_digest():
    wanted = {(size, processors) for size in SIZES_MIB for processors in PROCESSORS}
    assert all(set(sizes) == wanted for sizes in FIRMWARE.values())


def test_another_firmware_is_not_known(code):
    with pytest.raises(Unavailable, match="not one whose measurements are known"):
        bootvalues.firmware(code[:-1] + bytes([code[-1] ^ 1]))


@given(st.binary(max_size=200))
def test_what_is_no_firmware_is_refused(data):
    mark = bytes.fromhex("98584eee143959429d6edc7bd79403cf")
    for each in (data, data + mark, bytes(4) + mark + data, data[:4].rjust(4, b"\xff") + mark + b"\x18\0" + data):
        with pytest.raises(MalformedInput):
            bootvalues.drivers(each)


def header(size=0x2000):
    """Return the least of a kernel: its header in a PE image with one section."""
    data = bytearray(size)
    data[:2], data[0x202:0x206] = b"MZ", b"HdrS"
    struct.pack_into("<H", data, 0x206, 0x20F)
    struct.pack_into("<I", data, 0x3C, 0x80)
    struct.pack_into("<4sHHIIIHH", data, 0x80, b"PE\0\0", 0x8664, 1, 0, 0, 0, 0xA0, 0)
    struct.pack_into("<H", data, 0x98, 0x20B)
    struct.pack_into("<I", data, 0x98 + 60, 0x1000)
    struct.pack_into("<I", data, 0x98 + 108, 6)
    struct.pack_into("<8sIIII", data, 0x98 + 0xA0, b".text", size - 0x1000, 0x1000, size - 0x1000, 0x1000)
    return bytes(data)


def test_memory_size_and_every_byte_change_the_kernel_s_digest():
    plain = header()
    asked = {"memory_mib": 512, "initrd_size": 4096}
    found = bootvalues.kernel(plain, **asked)
    assert bootvalues.kernel(plain, **{**asked, "memory_mib": 768}) != found
    assert bootvalues.kernel(plain, **{**asked, "initrd_size": 4097}) != found
    changed = bytearray(plain)
    changed[0x1800] ^= 1
    assert bootvalues.kernel(bytes(changed), **asked) != found


@pytest.mark.parametrize("spoilt", [b"", b"MZ", header()[:0x800], header().replace(b"HdrS", b"none")])
def test_what_is_no_kernel_is_refused(spoilt):
    with pytest.raises(MalformedInput):
        bootvalues.kernel(spoilt, memory_mib=512, initrd_size=1)


@given(st.binary(max_size=0x1200), st.integers(0, 0x11FF))
def test_a_kernel_with_anything_in_it_is_refused_or_measured(noise, at):
    data = bytearray(header())
    data[at : at + len(noise)] = noise
    with suppress(RingfenceError):
        assert len(bootvalues.kernel(bytes(data), memory_mib=512, initrd_size=1)) == 32


def test_started_with_other_parts_gives_other_registers():
    parts = [hashlib.sha256(bytes([number])).digest() for number in range(3)]
    plain = bootvalues.started(*parts)
    for number in range(3):
        other = bootvalues.started(*(bytes(32) if place == number else part for place, part in enumerate(parts)))
        assert {pcr for pcr in plain if other[pcr] != plain[pcr]} == ({4} if number == 0 else {9})
