"""The frames that a node's end of a run sends (`agent.py`): one letter, four bytes of length, that many bytes; pure."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs.model import Ended, ended

PRINTED, SAID, FILES, PROBE, STATUS = b"o", b"e", b"t", b"p", b"s"
MAX_FRAME = 2 * 2**20
MAX_SIGNAL = 64
_HEAD = struct.Struct(">cI")


@dataclass(frozen=True, slots=True)
class Status:
    """How the command ended, as the node says."""

    ended: Ended
    skipped: int
    swappable: bool


class Frames:
    """Take frames apart; what the command prints goes to `show` on the way."""

    def __init__(self, read: Callable[[int], bytes], show: Callable[[bytes, bytes], None]) -> None:
        """Prepare.

        Args:
            read: gives exactly so many bytes, fewer only at the end.
            show: takes the letter and the bytes of what the command prints.
        """
        self._read, self._show = read, show
        self._waiting: tuple[bytes, bytes] | None = None
        self._kept = memoryview(b"")

    def next(self) -> tuple[bytes, bytes]:
        """Return the next frame that is for us."""
        if self._waiting is not None:
            found, self._waiting = self._waiting, None
            return found
        while True:
            head = self._read(_HEAD.size)
            if len(head) != _HEAD.size:
                raise MalformedInput("the node's end of the run ended without saying how")
            kind, size = _HEAD.unpack(head)
            if size > MAX_FRAME or kind not in {PRINTED, SAID, FILES, PROBE, STATUS}:
                raise MalformedInput("the node sends something that is no frame of a run")
            data = self._read(size)
            if len(data) != size:
                raise MalformedInput("the node's end of the run ended in the middle of a frame")
            if kind not in {PRINTED, SAID}:
                return kind, data
            self._show(kind, data)

    def expect(self, kind: bytes) -> bytes:
        """Return the next frame, which is of this kind; a refusal in its place is told."""
        found, data = self.next()
        if found == STATUS and kind != STATUS:
            self._waiting = found, data
            status(data)  # raises where it is a refusal
        if found != kind:
            raise MalformedInput("the node's end of the run does not keep to the order of its frames")
        return data

    def files(self, size: int) -> bytes:
        """Read from the stream of files, across frames."""
        found = bytearray()
        while len(found) < size:
            if not self._kept:
                kind, data = self.next()
                if kind != FILES:
                    self._waiting = kind, data
                    break
                self._kept = memoryview(data)
            taken = self._kept[: size - len(found)]
            found += taken
            self._kept = self._kept[len(taken) :]
        return bytes(found)

    def drain(self) -> None:
        """Pass over what fills up the last record of the stream of files: zeros, at most one record."""
        rest = self.files(20 * 512)
        if rest.strip(b"\0"):
            raise MalformedInput("something follows the stream of files")


def status(data: bytes) -> Status:
    """Parse the last frame; raise `MalformedInput`, also where the node refused."""
    match digest.loads(data, source="node", limit=4096):
        case {"refused": str() as why}:
            raise MalformedInput(f"the node cannot take the run: {why[:200]}")
        case {"code": int() as code, "interrupted": bool() as interrupted, "swap": bool() as swap, **rest}:
            skipped = rest.get("skipped", 0)
            if type(code) is type(skipped) is int and 0 <= skipped < 2**31 and -MAX_SIGNAL <= code <= 255:
                return Status(ended(code, interrupted=interrupted), skipped, swap)
        case _:
            pass
    raise MalformedInput("the node does not say how the command ended")
