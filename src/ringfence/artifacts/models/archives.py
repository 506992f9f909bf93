"""ZIP and tar: what lies inside, so that each member is judged like a file.

A ZIP is read by its central directory, as the loaders read it, and refused where the local headers say otherwise.
"""

import re
import stat
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.artifacts.models.cursor import Held, Piece
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

MAX_MEMBERS = 2**14
MAX_UNPACKED = 2**26  # bytes of one member that is compressed; a stored one may be as long as it likes
MAX_TOTAL = 2**28  # of all of them
BLOCK = 512
MAX_PAX = 2**16
_END, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_END_SIZE, _SIZE64, _MAX_COMMENT = 22, 56, 2**16
_STORED, _DEFLATED = 0, 8
_UNICODE_PATH = 0x7075
_DESCRIPTOR = b"PK\x07\x08"
_ALL_ONES = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive; None where it is too long to be unpacked here."""

    name: str
    content: Content | None


def ends_as_zip(content: Content) -> bool:
    """Tell whether a ZIP ends at the end of the file: readers of ZIPs take it for one, whatever stands around it."""
    return _end(content) is not None


def looks_like_tar(content: Content) -> bool:
    """Tell whether a file begins with a tar header: by its mark, or by a checksum that some reader takes for one.

    Python's own reader asks for no mark, and reads the checksum in more ways than tar writes it.
    """
    head = content.read(0, BLOCK)
    if head[257:262] == b"ustar" or (len(head) == BLOCK and _sums_up(head)):
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _sums_up(head: bytes) -> bool:
    digits = head[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return sum(head[:148]) + sum(head[156:]) + 8 * ord(" ") == int(digits, 8)


def zipped(content: Content) -> Iterator[Member]:
    """Yield the members of a ZIP; raise `MalformedInput`."""
    count, size, start = _directory(content, _only_end(content))
    if count > MAX_MEMBERS or size > MAX_MEMBERS * 2**10:
        raise MalformedInput(f"the ZIP holds {count} members; the limit is {MAX_MEMBERS}")
    directory, at, total, seen = content.read(start, size), 0, 0, set()
    places: list[tuple[int, int]] = []
    for _ in range(count):
        entry = _entry(directory, at)
        at += entry.length
        if entry.name in seen:
            raise MalformedInput(f"the ZIP holds {entry.name[:80]!r} twice")
        seen.add(entry.name)
        total += entry.unpacked if entry.method == _DEFLATED else 0
        if total > MAX_TOTAL:
            raise MalformedInput(f"the ZIP unpacks to more than {MAX_TOTAL} bytes")
        check_member_name(entry.name)
        begin, end = _place(content, entry)
        places.append((entry.start, end))
        if not entry.name.endswith("/"):
            yield Member(entry.name, _unpacked(content, entry, begin))
        elif entry.packed:
            raise MalformedInput(f"the folder {entry.name[:80]!r} of the ZIP has bytes of its own")
    if at != size:
        raise MalformedInput("the directory of the ZIP holds bytes that belong to no member")
    _check_filled(sorted(places), start)


def check_member_name(name: str) -> None:
    """Raise `MalformedInput` where unpacking under this name would write elsewhere, or readers would cut it short."""
    parts = name.removesuffix("/").split("/")
    if any(part in {"", ".", ".."} for part in parts) or any(one < " " or one in "\x7f\\" for one in name):
        raise MalformedInput(f"the archive holds {name[:80]!r}, which is no plain relative name")
    if re.match(r"[A-Za-z]:", name):
        raise MalformedInput(f"the archive holds {name[:80]!r}, which names a drive")


def _check_filled(places: list[tuple[int, int]], end: int) -> None:
    """Raise `MalformedInput` where members overlap, or readers that go from member to member would find more."""
    at = 0
    for start, following in places:
        if start != at:
            raise MalformedInput("the ZIP's members overlap, or bytes between them belong to none")
        at = following
    if at != end:
        raise MalformedInput("the ZIP holds bytes that belong to no member")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    method: int
    packed: int
    unpacked: int
    start: int
    length: int  # of the entry itself
    raw: bytes
    checksum: int
    described: bool  # sizes and checksum stand behind the bytes


def _end(content: Content) -> int | None:
    begin = max(0, content.size - _END_SIZE - _MAX_COMMENT)
    tail = content.read(begin, _END_SIZE + _MAX_COMMENT)
    at = len(tail)
    while (at := tail.rfind(_END, 0, at)) >= 0:
        if at + _END_SIZE <= len(tail):
            size, comment = struct.unpack_from("<I4xH", tail, at + 12)
            if at + _END_SIZE + comment == len(tail) or _follows_directory(content, begin + at, size):
                return begin + at
    return None


def _only_end(content: Content) -> int:
    found = _end(content)
    if found is None:
        raise MalformedInput("the ZIP has no end record at its end")
    tail = content.read(found, _END_SIZE + _MAX_COMMENT)
    if tail.rfind(_END) or found + _END_SIZE + struct.unpack_from("<H", tail, 20)[0] != content.size:
        raise MalformedInput("the ZIP has more than one end: readers of ZIPs would not agree on what it holds")
    return found


def _follows_directory(content: Content, end: int, size: int) -> bool:
    """Tell whether a directory ends here, so that readers who pass over what comes behind take this for the end."""
    marks = ((end - size, _ENTRY), (end - 20, _LOCATOR64))
    return any(at >= 0 and content.read(at, 4) == mark for at, mark in marks)


def _directory(content: Content, end: int) -> tuple[int, int, int]:
    """Return count, size and place of the central directory; nothing may lie between it and its end record."""
    disk, first, here, count, size, start = struct.unpack_from("<HHHHII", content.read(end, _END_SIZE), 4)
    if disk or first or here != count:
        raise MalformedInput("the ZIP is a part of several")
    if (wide := _directory64(content, end, (count, size, start))) is not None:
        (count, size, start), end = wide
    if start + size != end:
        raise MalformedInput("the ZIP does not fill its file: something stands before, between or behind its parts")
    return count, size, start


def _directory64(content: Content, end: int, short: tuple[int, int, int]) -> tuple[tuple[int, int, int], int] | None:
    """Return count, size and place as the second end record has them, and where it is; None where there is none.

    Some readers take the record that the locator names, some the one that lies before the locator, and some only those
    numbers that the first end record leaves open: all of them have to come to the same.
    """
    locator = content.read(end - 20, 20) if end >= 20 else b""
    if locator[:4] != _LOCATOR64:
        return None
    disk, place, disks = struct.unpack_from("<IQI", locator, 4)
    record = content.read(place, _SIZE64)
    if len(record) != _SIZE64 or record[:4] != _END64 or place + _SIZE64 + len(locator) != end:
        raise MalformedInput("the ZIP's second end record is not where the first says")
    length, on, first, here, count, size, start = struct.unpack("<Q4xIIQQQQ", record[4:])
    if disk or disks > 1 or on or first or here != count or length != _SIZE64 - 12:
        raise MalformedInput("the ZIP is a part of several, or its second end record is of another length")
    for given, wide, ones in zip(short, (count, size, start), (2**16 - 1, _ALL_ONES, _ALL_ONES), strict=True):
        if given not in {wide, ones}:
            raise MalformedInput("the ZIP's two end records do not agree")
    return (count, size, start), place


def _entry(directory: bytes, at: int) -> _Entry:
    if at + 46 > len(directory) or directory[at : at + 4] != _ENTRY:
        raise MalformedInput("the directory of the ZIP is cut short")
    flags, method = struct.unpack_from("<HH", directory, at + 8)
    checksum, packed, unpacked, name, extra, comment = struct.unpack_from("<IIIHHH", directory, at + 16)
    (start,) = struct.unpack_from("<I", directory, at + 42)
    length = 46 + name + extra + comment
    if at + length > len(directory):
        raise MalformedInput("the directory of the ZIP is cut short")
    if flags & 1 or method not in {_STORED, _DEFLATED}:
        raise MalformedInput("the ZIP holds a member that is encrypted, or packed in a way that is not read here")
    raw = directory[at + 46 : at + 46 + name]
    more = directory[at + 46 + name : at + 46 + name + extra]
    packed, unpacked, start = _wide(more, packed, unpacked, start)
    if _renamed(more):
        raise MalformedInput("the ZIP gives a member a second name, which only some readers see")
    if stat.S_ISLNK(int.from_bytes(directory[at + 40 : at + 42], "little")):
        raise MalformedInput("the ZIP holds a symbolic link, which would lead elsewhere once it is unpacked")
    if method == _STORED and packed != unpacked:
        raise MalformedInput("the ZIP stores a member whose two sizes differ")
    return _Entry(
        raw.decode("utf-8", "replace"), method, packed, unpacked, start, length, raw, checksum, bool(flags & 8)
    )


def _renamed(extra: bytes) -> bool:
    """Tell whether Info-ZIP's field with another name is there."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == _UNICODE_PATH:
            return True
        at += 4 + size
    return False


def _wide(extra: bytes, packed: int, unpacked: int, start: int) -> tuple[int, int, int]:
    """Replace sizes and place by those of the ZIP64 field, in the order in which it has those that are all ones."""
    values = [unpacked, packed, start]
    if _ALL_ONES not in values:
        return packed, unpacked, start
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1 and at + 4 + size <= len(extra):
            wide = iter(struct.unpack_from(f"<{min(size // 8, 3)}Q", extra, at + 4))
            values = [next(wide, -1) if value == _ALL_ONES else value for value in values]
            break
        at += 4 + size
    if _ALL_ONES in values or min(values) < 0:
        raise MalformedInput("the ZIP names a size that it does not give")
    return values[1], values[0], values[2]


def _place(content: Content, entry: _Entry) -> tuple[int, int]:
    """Return where a member's bytes begin, and where the next member does; both headers have to say the same."""
    head = content.read(entry.start, 30)
    if len(head) != 30 or head[:4] != _LOCAL:
        raise MalformedInput(f"{entry.name[:80]!r} is not where the ZIP says")
    flags, method = struct.unpack_from("<HH", head, 6)
    checksum, packed, unpacked, name, extra = struct.unpack_from("<IIIHH", head, 14)
    if (
        method != entry.method
        or content.read(entry.start + 30, name) != entry.raw
        or bool(flags & 8) != entry.described
    ):
        raise MalformedInput(f"the two headers of {entry.name[:80]!r} do not agree")
    more = content.read(entry.start + 30 + name, extra)
    if _renamed(more):
        raise MalformedInput("the ZIP gives a member a second name, which only some readers see")
    packed, unpacked, _ = _wide(more, packed, unpacked, 0)
    begin = entry.start + 30 + name + extra
    if begin + entry.packed > content.size:
        raise MalformedInput(f"{entry.name[:80]!r} is longer than the ZIP")
    said = (checksum, packed, unpacked)
    if said != (entry.checksum, entry.packed, entry.unpacked) and not (entry.described and said == (0, 0, 0)):
        raise MalformedInput(f"the two headers of {entry.name[:80]!r} do not agree")
    return begin, begin + entry.packed + (_descriptor(content, begin + entry.packed, entry) if entry.described else 0)


def _descriptor(content: Content, at: int, entry: _Entry) -> int:
    """Return how many bytes repeat a member's sizes behind it."""
    for form, marked in (("<III", True), ("<IQQ", True), ("<III", False), ("<IQQ", False)):
        size = struct.calcsize(form)
        data = content.read(at, size + 4 * marked)
        if marked and data[:4] != _DESCRIPTOR:
            continue
        body = data[4:] if marked else data
        if len(body) == size and struct.unpack(form, body) == (entry.checksum, entry.packed, entry.unpacked):
            return len(data)
    raise MalformedInput(f"behind {entry.name[:80]!r} stands no description of it, and one is announced")


def _unpacked(content: Content, entry: _Entry, begin: int) -> Content | None:
    if entry.method == _STORED:
        return Piece(content, begin, entry.packed)
    if max(entry.unpacked, entry.packed) > MAX_UNPACKED:
        return None
    return Held(_inflated(content.read(begin, entry.packed), entry))


def _inflated(packed: bytes, entry: _Entry) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, entry.unpacked + 1)
    except zlib.error as error:
        raise MalformedInput(f"{entry.name[:80]!r} cannot be unpacked") from error
    whole = len(data) == entry.unpacked and inflater.eof and not inflater.unused_data
    if not whole or zlib.crc32(data) != entry.checksum:
        raise MalformedInput(f"{entry.name[:80]!r} does not unpack to the {entry.unpacked} bytes that are announced")
    return data


def tarred(content: Content) -> Iterator[Member]:
    """Yield the members of a tar; raise `MalformedInput`, also for links and devices."""
    at, seen = 0, set[str]()
    for _ in range(MAX_MEMBERS):
        head = content.read(at, BLOCK)
        if head == bytes(BLOCK):
            _check_end(content, at)
            return
        if len(head) != BLOCK or not _sums_up(head):
            raise MalformedInput(f"there is no tar header at byte {at}")
        name, size, kind = _tar_name(head), _octal(head[124:136]), head[156:157]
        at += BLOCK
        if at + size > content.size:
            raise MalformedInput(f"{name[:80]!r} is longer than the tar")
        if kind in {b"0", b"\0"}:
            _check_new(name, seen)
            yield Member(name, Piece(content, at, size))
        elif kind in {b"x", b"g"}:
            _check_pax(content.read(at, size) if size <= MAX_PAX else b"size")
        elif kind != b"5" or size:
            raise MalformedInput(f"{name[:80]!r} is a link, a device or of a kind that readers read differently")
        at += -(-size // BLOCK) * BLOCK
    raise MalformedInput(f"the tar holds more than {MAX_MEMBERS} members")


def _check_new(name: str, seen: set[str]) -> None:
    check_member_name(name)
    if name in seen:
        raise MalformedInput(f"the tar holds {name[:80]!r} twice")
    seen.add(name)


def _tar_name(head: bytes) -> str:
    name = head[:100].split(b"\0")[0]
    prefix = head[345:500].split(b"\0")[0] if head[257:263] == b"ustar\0" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "replace")


def _check_pax(data: bytes) -> None:
    """Raise `MalformedInput` where extended headers change where or as what members are read."""
    if re.search(rb"size|path|linkpath|GNU", data):
        raise MalformedInput("extended headers of the tar change names or sizes, which only some readers follow")


def _check_end(content: Content, at: int) -> None:
    """Raise `MalformedInput` where something follows the end, which some readers pass over."""
    while data := content.read(at, 2**18):
        if data.strip(b"\0"):
            raise MalformedInput("something follows the end of the tar, which some readers would go on to")
        at += len(data)


def _octal(text: bytes) -> int:
    digits = text.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise MalformedInput("a size in the tar is no octal number")
    return int(digits, 8)
