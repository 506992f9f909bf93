"""A tar stream that holds plain files only: written for a node, and read from one that may be hostile; pure.

POSIX ustar, nothing else: no links, devices, sparse files or extended headers, no name that leaves its folder or
stands twice. The reader keeps one piece in memory, whatever the headers say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ringfence.kernel.errors import MalformedInput

BLOCK = 512
PIECE = 2**18
MAX_NAME = 255
MAX_PARTS = 32
MAX_SIZE = 8**11 - 1  # eleven octal digits
_MAGIC = b"ustar\x0000"
_CHECKSUM = slice(148, 156)
Read = Callable[[int], bytes]  # exactly that many bytes; fewer only where the stream has ended


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken from a stream."""

    files: int
    total: int


def header(name: str, size: int, *, executable: bool = False) -> bytes:
    """Return the header of a file; raise `MalformedInput` where ustar cannot name it."""
    check_name(name)
    if not 0 <= size <= MAX_SIZE:
        raise MalformedInput(f"{name!r} has {size} bytes; a file in a stream has at most {MAX_SIZE}")
    prefix, base = _split(name)
    fields = [
        base.ljust(100, b"\0"),
        b"0000755\0" if executable else b"0000644\0",
        b"0000000\0" * 2,
        b"%011o\0" % size,
        b"%011o\0" % 0,
        b" " * 8,
        b"0",
        bytes(100),
        _MAGIC,
        bytes(64),
        b"0000000\0" * 2,
        prefix.ljust(155, b"\0"),
        bytes(12),
    ]
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _split(name: str) -> tuple[bytes, bytes]:
    """Divide a name into ustar's two fields."""
    data = name.encode("utf-8")
    if len(data) <= 100:
        return b"", data
    for at in range(len(data) - 101, 156):
        if 0 < at < len(data) and data[at : at + 1] == b"/":
            return data[:at], data[at + 1 :]
    raise MalformedInput(f"{name[:80]!r} is too long for a tar stream; give the file a shorter name")


def padding(size: int) -> bytes:
    """Return what fills up the last block of a file."""
    return bytes(-size % BLOCK)


END = bytes(2 * BLOCK)


def members(read: Read, limits: Limits) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """Give each file of a stream: its name, its size, its bytes; these are taken before the next file.

    Raises:
        MalformedInput: the stream holds anything but plain files, or more than `limits`.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    total = 0
    while (block := _block(read)) != bytes(BLOCK):
        name, size = _parsed(block)
        total += size
        if len(seen) >= limits.files or total > limits.total:
            raise _bad(f"it holds more than {limits.files} files or {limits.total} bytes")
        above = _folders_of(name)
        if name in seen or name in folders or above & seen:
            raise _bad(f"{name!r} stands in it twice, or below a file")
        seen.add(name)
        folders |= above
        left = [size]
        yield name, size, _content(read, left)
        if left[0]:
            raise _bad(f"{name!r} was not read to its end")
        if read(len(padding(size))).strip(b"\0"):
            raise _bad(f"{name!r} is not filled up with zeros")
    if _block(read) != bytes(BLOCK):
        raise _bad("it does not end as a tar stream ends")


def _folders_of(name: str) -> set[str]:
    parts = name.split("/")
    return {"/".join(parts[:depth]) for depth in range(1, len(parts))}


def _content(read: Read, left: list[int]) -> Iterator[bytes]:
    while left[0]:
        wanted = min(PIECE, left[0])
        piece = read(wanted)
        if len(piece) != wanted:
            raise _bad("it ends in the middle of a file")
        left[0] -= wanted
        yield piece


def _block(read: Read) -> bytes:
    block = read(BLOCK)
    if len(block) != BLOCK:
        raise _bad("it ends where a header should be")
    return block


def _parsed(block: bytes) -> tuple[str, int]:
    if block[257:265] != _MAGIC:
        raise _bad("a header is not of the form ustar")
    blank = block[:148] + b" " * 8 + block[156:]
    if _octal(block[_CHECKSUM].rstrip(b"\0 "), 6) != sum(blank):
        raise _bad("the checksum of a header is wrong")
    if block[156:157] != b"0":
        raise _bad("it holds something that is not a plain file")
    prefix, base = _text(block[345:500]), _text(block[:100])
    name = f"{prefix}/{base}" if prefix else base
    check_name(name)
    if block[135:136] != b"\0":
        raise _bad("the size of a file is not octal")
    return name, _octal(block[124:135], 11)


def _octal(field: bytes, digits: int) -> int:
    if len(field) != digits or field.strip(b"01234567"):
        raise _bad("a number in a header is not octal")
    return int(field, 8)


def _text(field: bytes) -> str:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise _bad("a name in a header goes on behind its end")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad("a name is not UTF-8") from error


def check_name(name: str) -> None:
    """Return where a name is a path below its folder that can be shown; raise `MalformedInput`."""
    parts = name.split("/")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME or len(parts) > MAX_PARTS:
        raise _bad(f"the name {name[:60]!r} is too long, or too deep")
    if any(part in {"", ".", ".."} for part in parts) or not name.isprintable():
        raise _bad(f"{name[:60]!r} is no path below a folder")


def _bad(what: str) -> MalformedInput:
    return MalformedInput(f"the stream of files is refused: {what}")


def written(files: Iterable[tuple[str, int, bool, Iterator[bytes]]]) -> Iterator[bytes]:
    """Print files as a stream; each says beforehand how long it is."""
    for name, size, executable, pieces in files:
        yield header(name, size, executable=executable)
        sent = 0
        for piece in pieces:
            sent += len(piece)
            if sent > size:
                break
            yield piece
        if sent != size:
            raise MalformedInput(f"{name!r} changed while it was sent")
        yield padding(size)
    yield END
