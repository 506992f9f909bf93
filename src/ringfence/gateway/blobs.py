"""Closed segments and receipts on the disk: written by the gateway, read by it and by `up`.

closed/<tenant>/<number>.seg    the records             closed/<tenant>/<number>.dsse   the signed closing
closed/<tenant>/<number>.salts  openings, erasable      proofs/<tenant>/<number>.json   where the log has it
index/<tenant>/<byte>           request id to place; can be made again from the segments
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from ringfence.gateway import receipt, records, segment
from ringfence.gateway.model import RequestId
from ringfence.gateway.ports import FoundReceipt
from ringfence.gateway.records import SALT_SIZE
from ringfence.kernel import envelope as dsse
from ringfence.kernel import identifier
from ringfence.kernel.envelope import MAX_ENVELOPE, Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import PRIVATE, explained, read_bounded, sync_directory, write_whole

SALTS = b"ringfence-salts-v1\n"
ERASED = bytes(SALT_SIZE)
MAX_SALTS = len(SALTS) + segment.MAX_RECORDS * SALT_SIZE
MAX_PROOF = 4 * MAX_ENVELOPE
RETRY_SECONDS = 2  # a segment closes within five seconds and is published within two more
MAX_BUCKET = 2**30
CACHED = 16  # trees of segments: some 2 MB each where they are full
_ROW = struct.Struct(">16sII")


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """The files of closed segments below the gateway's folder; fulfils `gateway.ports.Segments`."""

    folder: Path

    def path(self, tenant: Tenant, number: int, kind: str) -> Path:
        """Return where a file of a segment lies."""
        return self.folder / "closed" / tenant / f"{number:08}.{kind}"

    def tenants(self) -> list[Tenant]:
        """Return the tenants that have segments."""
        closed = self.folder / "closed"
        if not closed.exists():
            return []
        with explained(closed, "read"):
            return sorted(Tenant(path.name) for path in closed.iterdir() if path.is_dir() and _is_tenant(path.name))

    def last(self, tenant: Tenant) -> int:
        """Return the number of the newest signed segment; 0 where there is none. Reads the whole folder."""
        return _highest(self.folder / "closed" / tenant, "*.dsse")

    def keep(self, tenant: Tenant, number: int, leaves: Sequence[bytes], salts: Sequence[bytes]) -> None:
        """Write the records and the openings of a segment that is not signed yet."""
        place = self.path(tenant, number, "seg")
        with explained(place.parent, "create"):
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, segment.to_bytes(leaves), mode=PRIVATE)
        write_whole(self.path(tenant, number, "salts"), SALTS + b"".join(salts), mode=PRIVATE)

    def is_closed(self, tenant: Tenant, number: int) -> bool:
        """Return whether a segment was signed."""
        return self.path(tenant, number, "dsse").exists()

    def close(self, tenant: Tenant, number: int, envelope: Envelope) -> None:
        """Write the signed closing of a segment; raise `UsageError` where there is one."""
        write_whole(self.path(tenant, number, "dsse"), envelope.data, mode=PRIVATE, replace=False)

    def envelope(self, tenant: Tenant, number: int) -> Envelope:
        """Return the signed closing of a segment, its signature not verified."""
        path = self.path(tenant, number, "dsse")
        return dsse.parse(read_bounded(path, limit=MAX_ENVELOPE), source=str(path))

    def leaves(self, tenant: Tenant, number: int) -> list[bytes]:
        """Return the records of a segment, unparsed."""
        path = self.path(tenant, number, "seg")
        return segment.from_bytes(read_bounded(path, limit=segment.MAX_FILE), source=str(path))

    def record(self, tenant: Tenant, number: int, index: int) -> tuple[bytes, tuple[bytes, ...]]:
        """Return one record of a segment and its path, without reading the others again for the next one."""
        path = self.path(tenant, number, "seg")
        with explained(path, "read"):
            stat = path.stat()
        offsets, levels = _tree(path, stat.st_mtime_ns, stat.st_size)
        proof = segment.path_in(index, levels)
        with explained(path, "read"), path.open("rb") as file:
            leaf = os.pread(file.fileno(), offsets[index + 1] - offsets[index] - 4, offsets[index] + 4)
        return leaf, proof

    def salt(self, tenant: Tenant, number: int, place: int) -> bytes:
        """Return the opening of one record; empty once it was erased."""
        path = self.path(tenant, number, "salts")
        try:
            data = read_bounded(path, limit=MAX_SALTS)
        except NotFound:
            return b""
        start = len(SALTS) + place * SALT_SIZE
        salt = data[start : start + SALT_SIZE]
        if not data.startswith(SALTS) or len(salt) != SALT_SIZE:
            raise MalformedInput("not the openings of a segment", source=str(path))
        return b"" if salt == ERASED else salt

    def erase(self, tenant: Tenant, number: int, place: int | None = None) -> None:
        """Destroy the openings of a segment, or of one record of it; erasing again changes nothing.

        From then on nobody can show, or find out by guessing, what was asked and answered. Signatures and proofs
        stay valid. Copies in backups and in blocks that the file system has not reused are out of reach.
        """
        path = self.path(tenant, number, "salts")
        if not path.exists():
            return
        with explained(path, "erase"), os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+b") as file:
            if file.read(len(SALTS)) != SALTS:  # nothing else is ever overwritten, whatever lies at this place
                raise MalformedInput("not the openings of a segment", source=str(path))
            size = os.fstat(file.fileno()).st_size
            start = len(SALTS) if place is None else len(SALTS) + place * SALT_SIZE
            stop = size if place is None else start + SALT_SIZE
            if stop > size or start < len(SALTS):
                raise NotFound(f"segment {number} has no record {place}")
            os.pwrite(file.fileno(), bytes(stop - start), start)
            os.fsync(file.fileno())
        if place is None:
            with explained(path, "erase"):
                path.unlink()
                sync_directory(path.parent)

    def proof(self, tenant: Tenant, number: int) -> bytes | None:
        """Return where the log has a segment; None while it is not published."""
        path = self._proofs(tenant) / f"{number:08}.json"
        return read_bounded(path, limit=MAX_PROOF) if path.exists() else None

    def last_proof(self, tenant: Tenant) -> int:
        """Return the number of the newest segment that was published; 0 where none was. Reads the whole folder."""
        return _highest(self._proofs(tenant), "*.json")

    def write_proof(self, tenant: Tenant, number: int, data: bytes) -> None:
        """Write where the log has a segment.

        The folder may belong to the gateway's user while root writes here: no link is followed on the way.
        """
        name = f"{number:08}.json"
        with explained(self._proofs(tenant) / name, "write"), _below(self.folder, "proofs", tenant) as folder:
            temporary = f".{name}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=folder), "wb") as file:
                os.fchmod(file.fileno(), 0o644)  # the gateway's user reads it; it holds nothing secret
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def _proofs(self, tenant: Tenant) -> Path:
        return self.folder / "proofs" / tenant


def _is_tenant(name: str) -> bool:
    with suppress(MalformedInput):  # a folder of another name is none of ours, whoever made it
        return bool(identifier.tenant(name))
    return False


@lru_cache(maxsize=CACHED)
def _tree(path: Path, _changed: int, _size: int) -> tuple[list[int], list[Sequence[bytes]]]:
    """Return where the records of a segment's file begin, and its tree: a caller may ask for many of its receipts."""
    leaves = segment.from_bytes(read_bounded(path, limit=segment.MAX_FILE), source=str(path))
    offsets = list(accumulate((4 + len(leaf) for leaf in leaves), initial=len(segment.MAGIC)))
    return offsets, segment.levels_of([segment.leaf_hash(leaf) for leaf in leaves])


def _highest(folder: Path, pattern: str) -> int:
    return max((int(path.stem) for path in folder.glob(pattern) if path.stem.isdecimal()), default=0)


@contextmanager
def _below(folder: Path, *names: str) -> Iterator[int]:
    """Open a folder step by step without following links, made where it is missing."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=descriptor)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            deeper = os.open(name, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record of a request lies."""

    segment: int
    index: int


@dataclass(frozen=True, slots=True)
class ReceiptIndex:
    """From a request's id to its place, on disk: rows in 256 files per tenant, by the id's first byte.

    Only the gateway writes it. Rows are not synced one by one, because the segments hold what is lost: `marked` says
    up to which segment the rows are known to be durable, and what is behind is added again at the next start.
    """

    folder: Path

    def add(self, tenant: Tenant, number: int, requests: Sequence[bytes]) -> None:
        """Index the records of a segment; doing it again changes nothing that is found."""
        rows: dict[int, list[bytes]] = {}
        for index, request in enumerate(requests):
            rows.setdefault(request[0], []).append(_ROW.pack(request, number, index))
        with explained(self.folder / tenant, "write"):
            (self.folder / tenant).mkdir(mode=0o700, parents=True, exist_ok=True)
            for bucket, found in rows.items():
                self._append(self._bucket(tenant, bucket), b"".join(found))

    @staticmethod
    def _append(path: Path, rows: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
        try:
            end = os.fstat(descriptor).st_size // _ROW.size * _ROW.size  # half a row of a full disk is written over
            if os.pwrite(descriptor, rows, end) != len(rows):
                raise Unavailable(f"cannot write {path}: it took a part of the rows only")
        finally:
            os.close(descriptor)

    def find(self, tenant: Tenant, request: RequestId) -> Place | None:
        """Return where the record of a tenant's request lies; None where it is not in a closed segment."""
        key = bytes.fromhex(request[4:])
        try:
            rows = read_bounded(self._bucket(tenant, key[0]), limit=MAX_BUCKET)
        except NotFound:
            return None
        at = rows.find(key)
        while at >= 0 and (at % _ROW.size or at + _ROW.size > len(rows)):
            at = rows.find(key, at + 1)
        return None if at < 0 else Place(*_ROW.unpack_from(rows, at)[1:])

    def marked(self, tenant: Tenant) -> int:
        """Return the number up to which every segment is indexed for good."""
        try:
            text = read_bounded(self.folder / tenant / "marked", limit=32)
        except NotFound:
            return 0
        return int(text) if text.isdigit() else 0

    def mark(self, tenant: Tenant, number: int) -> None:
        """Make all rows durable, and say so; where a tenant has none there is nothing to say."""
        if not (self.folder / tenant).exists():
            return
        with explained(self.folder / tenant, "write"):
            for path in (self.folder / tenant).glob("??"):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        write_whole(self.folder / tenant / "marked", b"%d" % number, mode=PRIVATE)

    def _bucket(self, tenant: Tenant, first: int) -> Path:
        return self.folder / tenant / f"{first:02x}"


@dataclass(frozen=True, slots=True)
class ReceiptFiles:
    """`gateway.ports.Receipts` over the files; `holds` says what the journal still has open."""

    files: SegmentFiles
    index: ReceiptIndex
    holds: Callable[[Tenant, RequestId], bool]

    def find(self, tenant: Tenant, request: RequestId) -> FoundReceipt:
        """Return the receipt of a tenant's own request; see `gateway.ports.Receipts`."""
        held = self.holds(tenant, request)  # first: it leaves the journal when it is in the index
        place = self.index.find(tenant, request)
        if place is None and held:
            return FoundReceipt(b"", RETRY_SECONDS)
        if place is None:
            raise NotFound(f"no answer of yours has the id {request}, or its segment is still open")
        proof = self.files.proof(tenant, place.segment)
        if proof is None:
            return FoundReceipt(b"", RETRY_SECONDS)
        return FoundReceipt(self._receipt(tenant, request, place, proof))

    def _receipt(self, tenant: Tenant, request: RequestId, place: Place, proof: bytes) -> bytes:
        leaf, path = self.files.record(tenant, place.segment, place.index)
        if records.request_in(leaf) != request:
            raise Unavailable("the index of receipts does not fit the segments; remove it and start the gateway again")
        return receipt.build(
            leaf,
            self.files.salt(tenant, place.segment, place.index),
            self.files.envelope(tenant, place.segment),
            place.index,
            path,
            proof,
        )
