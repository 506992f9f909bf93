"""What the registers of a measured machine should hold, computed from files before any machine runs; pure.

QEMU hands kernel, first file system and command line to the firmware, which measures the kernel (PCR 4); the kernel's
own first part measures the other two (PCR 9). QEMU writes four fields into the kernel's header before that, one of
which depends on the machine's memory: so a machine has one of a few sizes. Of the firmware's two volumes one is
unpacked here and hashed; the other notes memory and processors in itself before it is measured, so that its digest was
read from a machine, once for each size of each build that is known here (`FIRMWARE`).

Sources: Linux, Documentation/x86/boot.rst; QEMU 7.2, hw/i386/x86.c (`x86_load_linux`) and hw/i386/pc_q35.c; EDK II,
MdePkg/Include/Guid/GlobalVariable.h and OvmfPkg; docs/specs/measured-boot.md.
"""

import hashlib
import lzma
import struct
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from ringfence.attestation import boot
from ringfence.kernel.errors import MalformedInput, Unavailable

SIZES_MIB, PROCESSORS = (512, 768, 1024, 2048), (1, 2)
# The same for every measured machine. IMA measures what root reads and what anybody executes (`tcb`).
COMMAND_LINE = "ima_policy=tcb ima_template=ima-ng ima_hash=sha256 lockdown=integrity"
INITRD_WORD = " initrd=initrd"  # which firmware adds: the name under which the kernel asks for its first file system
LOGGED = tuple(range(10))  # registers that firmware and the kernel's first part extend
# SHA-256 of the firmware's code -> (memory in MiB, processors) -> its volume for the time before memory is there, as
# its own log gives it. The firmware notes there what it found, so that no file holds these bytes.
FIRMWARE: Mapping[str, Mapping[tuple[int, int], str]] = MappingProxyType(
    {
        # Debian 12, ovmf 2022.11-6+deb12u2, OVMF_CODE_4M.fd; read from emulated machines on 2026-11-23
        "b157d97b1f69729514feb7f201d2cbe4957f23ab77920e361fe9f822ba49ca4c": {
            (512, 1): "f4f0c52697278027731926901650c9eccd0e4181d6b63339c07552c2c969915d",
            (512, 2): "ac3c3bb98ae544cb99b0847315023372f2d059a02852fb7c39cc7bc6413ee279",
            (768, 1): "1d32998ac74131b05bb46afce7b1d893680848754e4ad96646b616762189323e",
            (768, 2): "ea7863a3848cf32a757873d3dfd8b3895d28f0750df755e82e6181555b703e66",
            (1024, 1): "4c251b0c52a393c134c2ddf7c9afb08878cf9dc95f9ff6827cad7ed4394dd209",
            (1024, 2): "1b5f687967cdecbff633092cc7a5987755197401d8978a9300802fa2bd36b2c3",
            (2048, 1): "4c021933a6f530fb027434476cf80cddade4eb63f7334fa380baf53c4c25ca48",
            (2048, 2): "76bbfa881e8b9956ce0a732a4866565c5a486c87c94220852eb476b30e5738cc",
        },
    }
)

MIB = 2**20
_TABLES = 0x28000  # bytes below the end of memory that a q35 machine keeps for tables
_REAL, _COMMAND = 0x10000, 0x20000  # where the header and the command line would lie for a start without firmware
_LOADER, _CAN_USE_HEAP = 0xB0, 0x80
_LZMA = uuid.UUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf").bytes_le
_GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
_SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f").bytes_le
_VOLUME = uuid.UUID("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1").bytes_le  # of drivers
_MENU = uuid.UUID("462caa21-7614-4503-836e-8ab6f4662331").bytes_le  # the only thing that firmware itself would start
_MAIN_VOLUME = 0xC00000
_LARGEST_FIRMWARE, _LARGEST_UNPACKED = 16 * MIB, 64 * MIB


def kernel(image: bytes, *, memory_mib: int, initrd_size: int) -> bytes:
    """Return what firmware measures for a kernel that QEMU hands over to a machine with that much memory.

    Raises:
        MalformedInput: it is no kernel of boot protocol 2.12 or newer.
    """
    if image[0x202:0x206] != b"HdrS" or len(image) < 0x1000 or struct.unpack_from("<H", image, 0x206)[0] < 0x20C:
        raise MalformedInput("not a Linux kernel of boot protocol 2.12 or newer")
    changed, highest = bytearray(image), memory_mib * MIB - _TABLES - 1
    changed[0x210] = _LOADER
    changed[0x211] |= _CAN_USE_HEAP
    struct.pack_into("<II", changed, 0x218, (highest - initrd_size) & ~0xFFF, initrd_size)
    struct.pack_into("<II", changed, 0x224, _COMMAND - _REAL - 0x200, _COMMAND)
    return boot.image_digest(bytes(changed))


def command_line(words: str) -> bytes:
    """Return what the kernel measures for its command line."""
    return boot.command_line_digest(words + INITRD_WORD)


def drivers(code: bytes) -> bytes:
    """Return the SHA-256 of the firmware's main volume, which lies packed in its file.

    Raises:
        MalformedInput: the file is not laid out as OVMF's is.
    """
    at = code.find(_LZMA)
    if len(code) > _LARGEST_FIRMWARE or at < 4 or len(code) < at + 18:
        raise MalformedInput("the firmware has no packed volume where OVMF has one")
    size, (offset,) = int.from_bytes(code[at - 4 : at - 1], "little"), struct.unpack_from("<H", code, at + 16)
    try:
        packed = code[at - 4 + offset : at - 4 + size]
        unpacked = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LARGEST_UNPACKED).decompress(
            packed, max_length=_LARGEST_UNPACKED
        )
    except lzma.LZMAError as error:
        raise MalformedInput("the firmware's packed volume cannot be unpacked") from error
    mark = -1
    while (mark := unpacked.find(b"_FVH", mark + 1)) >= 0:
        start = mark - 40
        if start >= 0 and int.from_bytes(unpacked[start + 32 : start + 40], "little") == _MAIN_VOLUME:
            return hashlib.sha256(unpacked[start : start + _MAIN_VOLUME]).digest()
    raise MalformedInput("the firmware's packed volume does not hold OVMF's drivers")


def firmware(code: bytes) -> dict[int, frozenset[bytes]]:
    """Return the values of registers 0 to 3 and 5 to 7, which firmware with fresh variables fills around a start.

    Raises:
        Unavailable: this build of the firmware is not known here.
    """
    build = hashlib.sha256(code).hexdigest()
    early = FIRMWARE.get(build)
    if early is None:
        raise Unavailable(
            f"the firmware {build[:16]}… is not one whose measurements are known here; use that of `make setup`"
        )
    separator, version = bytes(4), b"\0\0"
    menu = _device(4, 7, _VOLUME) + _device(4, 6, _MENU) + b"\x7f\xff\x04\0"
    option = struct.pack("<IH", 0x109, len(menu)) + "UiApp\0".encode("utf-16-le") + menu
    empty = [(_GLOBAL, "PK"), (_GLOBAL, "KEK"), (_SECURITY, "db"), (_SECURITY, "dbx")]
    variables = [(_GLOBAL, "SecureBoot", b"\0"), *((owner, name, b"") for owner, name in empty)]
    volume, apart = drivers(code), _sha(separator)
    fixed = {
        1: _extended(_sha(b"\0\0"), _sha(option), apart),
        2: _extended(apart),
        3: _extended(apart),
        5: _extended(apart, _sha(b"Exit Boot Services Invocation"), _sha(b"Exit Boot Services Returned with Success")),
        6: _extended(apart),
        7: _extended(*(_sha(_variable(*each)) for each in variables), apart),
    }
    first = (_extended(_sha(version), bytes.fromhex(each), volume, apart) for each in early.values())
    return {0: frozenset(first), **{number: frozenset({value}) for number, value in fixed.items()}}


def started(kernel_digest: bytes, command_digest: bytes, initrd_digest: bytes) -> dict[int, bytes]:
    """Return the registers 4, 8 and 9: what was started, and with what."""
    calling = _sha(b"Calling EFI Application from Boot Option")
    return {
        4: _extended(kernel_digest, calling, _sha(bytes(4))),
        8: bytes(32),
        9: _extended(command_digest, initrd_digest),
    }


def _device(kind: int, sub: int, content: bytes) -> bytes:
    return struct.pack("<BBH", kind, sub, 4 + len(content)) + content


def _variable(owner: bytes, name: str, value: bytes) -> bytes:
    text = name.encode("utf-16-le")
    return owner + struct.pack("<QQ", len(name), len(value)) + text + value


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _extended(*digests: bytes) -> bytes:
    value = bytes(32)
    for each in digests:
        value = _sha(value + each)
    return value
