"""A sealed dataset that came in one message: its files lie behind one another in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.ports import Listing, Source
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError

MOST_FILES = 4096


@dataclass(frozen=True, slots=True)
class Piece:
    """One file."""

    data: memoryview

    @property
    def size(self) -> int:
        """Return its size."""
        return len(self.data)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer."""
        piece = self.data[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)

    def unchanged(self) -> bool:
        """Return True: nobody else has it."""
        return True


@dataclass(frozen=True, slots=True)
class MemoryVault:
    """A sealed dataset's directory, as far as it was sent."""

    files: Mapping[str, Piece]

    @staticmethod
    def of(fields: Mapping[str, Any], content: bytes) -> "MemoryVault":
        """Take files apart as `fields` says: `files` is a list of names with sizes, in order.

        Raises:
            MalformedInput: they do not fill what was sent exactly.
        """
        listed = fields.get("files")
        if set(fields) != {"files"} or not isinstance(listed, list) or len(listed) > MOST_FILES:
            raise MalformedInput(f"a sealed dataset is sent as a list of at most {MOST_FILES} files")
        found: dict[str, Piece] = {}
        at, whole = 0, memoryview(content)
        for entry in listed:
            match entry:
                case [str() as name, int() as size] if name not in found and 0 <= size <= len(whole) - at:
                    found[name] = Piece(whole[at : at + size])
                    at += size
                case _:
                    raise MalformedInput("the list of files does not fit what was sent")
        if at != len(whole):
            raise MalformedInput("more was sent than the list of files names")
        return MemoryVault(found)

    def listing(self) -> Listing:
        """Return the names."""
        parts = [name.split("/", 1) for name in self.files]
        below = {folder: frozenset(p[1] for p in parts if p[0] == folder and len(p) > 1) for folder in _FOLDERS}
        return Listing(frozenset(part[0] for part in parts), *(below[folder] for folder in _FOLDERS))

    @contextmanager
    def open(self, name: str) -> Iterator[Source]:
        """Open a file."""
        if name not in self.files:
            raise NotFound(f"{name[:80]!r} was not sent")
        yield self.files[name]

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole file."""
        with self.open(name) as source:
            if source.size > limit:
                raise UsageError(f"{name} is larger than {limit} bytes")
            buffer = bytearray(source.size)
            source.read_into(memoryview(buffer), 0)
            return bytes(buffer)


_FOLDERS = ("objects", "chunks")
