"""What containment keeps beside the database: wishes on reserved disk, evidence, and who works on which node."""

import fcntl
import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.compute import forensics
from ringfence.compute.model import Intent, NodeId
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.storage.files import PRIVATE, explained, read_bounded, sync_directory, write_whole

_SALT = "salt"
_NODE = re.compile(r"n-[0-9a-f]{8}")
_LONGEST_WORD = 48  # of a finding's or a person's id
MAX_KEPT = 64 * 2**20  # bytes of one quarantine's evidence


@dataclass(frozen=True, slots=True)
class IntentFile:
    """`Intents` as a file of fixed-size lines, allocated beforehand so that a full disk cannot stop it."""

    path: Path
    capacity: int = 1024  # nodes; 128 KiB

    LINE = 128

    def create(self) -> None:
        """Allocate the file, unless it is there."""
        if self.path.exists():
            return
        with explained(self.path, "create"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self.LINE * self.capacity)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_directory(self.path.parent)

    def add(self, node: NodeId, intent: Intent) -> None:
        """Write a wish durably."""
        with self._locked() as descriptor:
            lines = self._lines(descriptor)
            known = lines.get(node)
            if known is not None and known[1].number >= intent.number:
                return
            place = known[0] if known else self._free(lines)
            self._write(descriptor, place, f"{node} {intent.number} {_word(intent.finding)} {_word(intent.by)}")

    def drop(self, node: NodeId, number: int) -> None:
        """Forget a wish of this number or of a smaller one."""
        with self._locked() as descriptor:
            known = self._lines(descriptor).get(node)
            if known is not None and known[1].number <= number:
                self._write(descriptor, known[0], "")

    def all(self) -> Mapping[NodeId, Intent]:
        """Return every wish."""
        with self._locked() as descriptor:
            return {node: intent for node, (_, intent) in self._lines(descriptor).items()}

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with explained(self.path, "open"):
            descriptor = os.open(self.path, os.O_RDWR)
        try:
            with explained(self.path, "write"):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield descriptor
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, place: int, text: str) -> None:
        line = text.encode("ascii", "replace")[: self.LINE - 1].ljust(self.LINE - 1) + b"\n"
        os.pwrite(descriptor, line, place * self.LINE)
        os.fsync(descriptor)

    def _free(self, lines: Mapping[NodeId, tuple[int, Intent]]) -> int:
        taken = {place for place, _ in lines.values()}
        for place in range(self.capacity):
            if place not in taken:
                return place
        raise Unavailable(f"{self.path} holds {self.capacity} nodes that are cut off and takes no more; release some")

    def _lines(self, descriptor: int) -> dict[NodeId, tuple[int, Intent]]:
        data = os.pread(descriptor, self.LINE * self.capacity, 0)
        found = {}
        for place in range(len(data) // self.LINE):
            line = data[place * self.LINE : (place + 1) * self.LINE].decode("ascii", "replace")
            words = [*line.strip("\0 \n").split(), "-", "-", "-", "-"]
            if _NODE.fullmatch(words[0]) and words[1].isdigit():  # the rest may be damaged: a wish is a wish
                finding, by = ("" if word == "-" else word for word in words[2:4])
                found[NodeId(words[0])] = place, Intent(int(words[1]), finding, by)
        return found


def _word(text: str) -> str:
    """Return a bounded word: what is too long or has blanks must not push the wish itself out of its line."""
    return "".join(c for c in text if c.isascii() and c.isprintable() and c != " ")[:_LONGEST_WORD] or "-"


@dataclass(frozen=True, slots=True)
class EvidenceFolder:
    """`Locker` as files that only the owner of the home reads; the chain that is stated is in a folder's name."""

    path: Path

    def keep(self, node: NodeId, number: int, items: Mapping[str, bytes], salt: bytes) -> None:
        """Write what was collected; what an interrupted attempt had collected stays beside it."""
        chain = forensics.chain(items, salt, before_cut=True, milliseconds=0).chain
        folder = self._folder(node, number, chain)
        with explained(folder, "make"):
            for level in (self.path, folder.parent, folder):
                level.mkdir(mode=0o700, exist_ok=True)
        for name, data in {_SALT: salt, **{f"item-{name}": data for name, data in items.items()}}.items():
            write_whole(folder / _safe(name), data, mode=PRIVATE)

    def _folder(self, node: NodeId, number: int, chain: Digest) -> Path:
        return self.path / node / f"{number}-{chain.hex[:16]}"

    def read(self, node: NodeId, number: int, chain: Digest) -> tuple[dict[str, bytes], bytes]:
        """Return the items and the salt of evidence that was stated."""
        folder = self._folder(node, number, chain)
        items = {path.name.removeprefix("item-"): read_bounded(path, limit=MAX_KEPT) for path in folder.glob("item-*")}
        return items, read_bounded(folder / _SALT, limit=1024)


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)


@dataclass(frozen=True, slots=True)
class NodeLocks:
    """`Exclusive` among the threads of this process; another process is kept away by `ringfence up`'s socket."""

    _containing: defaultdict[NodeId, threading.RLock] = field(default_factory=lambda: defaultdict(threading.RLock))
    _working: defaultdict[NodeId, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    @contextmanager
    def containing(self, node: NodeId) -> Iterator[None]:
        """Wait for whoever cuts the node off, or frees it, now."""
        with self._containing[node]:
            yield

    @contextmanager
    def working(self, node: NodeId) -> Iterator[bool]:
        """Give True where nobody starts or stops the node now, else False at once."""
        lock = self._working[node]
        mine = lock.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                lock.release()
