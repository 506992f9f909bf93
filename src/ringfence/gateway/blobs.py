"""Closed segments and receipts on the disk: written by the gateway, read by it and by `up`.

closed/<tenant>/<number>.seg    the records             closed/<tenant>/<number>.dsse   the signed closing
closed/<tenant>/<number>.salts  openings, erasable      proofs/<tenant>/<number>.json   where the log has it
index/<tenant>/<byte>           request id to place; can be made again from the segments
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from ringfence.gateway import receipt, records, segment
from ringfence.gateway.commitments import SALT_SIZE
from ringfence.gateway.model import RequestId
from ringfence.gateway.ports import FoundReceipt
from ringfence.kernel import envelope as dsse
from ringfence.kernel import identifier
from ringfence.kernel.envelope import MAX_ENVELOPE, Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import PRIVATE, explained, open_below, opened_below, read_below, write_whole

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
    """The files of closed segments below the gateway's folder; fulfils `gateway.ports.Segments`.

    The folder may belong to the gateway's user while root runs `up`: in what that calls no link is followed.
    """

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

    def numbers(self, tenant: Tenant, kind: str) -> list[int]:
        """Return the numbers of the segments that have a file of a kind, in order. Reads the whole folder."""
        return sorted(_numbers(self.folder / "closed" / tenant, kind))

    def last(self, tenant: Tenant) -> int:
        """Return the number of the newest signed segment; 0 where there is none. Reads the whole folder."""
        return max(_numbers(self.folder / "closed" / tenant, "dsse"), default=0)

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
        return dsse.parse(read_below(self.folder, path, limit=MAX_ENVELOPE), source=str(path))

    def leaves(self, tenant: Tenant, number: int) -> list[bytes]:
        """Return the records of a segment, unparsed."""
        path = self.path(tenant, number, "seg")
        return segment.from_bytes(read_below(self.folder, path, limit=segment.MAX_FILE), source=str(path))

    def record(self, tenant: Tenant, number: int, index: int) -> tuple[bytes, tuple[bytes, ...]]:
        """Return one record of a segment and its path, without reading the others again for the next one."""
        path = self.path(tenant, number, "seg")
        with explained(path, "read"), os.fdopen(open_below(self.folder, path), "rb") as file:
            stat = os.fstat(file.fileno())
            offsets, levels = _tree(self, tenant, number, stat.st_mtime_ns, stat.st_size)
            proof = segment.path_in(index, levels)
            leaf = os.pread(file.fileno(), offsets[index + 1] - offsets[index] - 4, offsets[index] + 4)
        return leaf, proof

    def salt(self, tenant: Tenant, number: int, place: int) -> bytes:
        """Return the opening of one record; empty once it was erased."""
        path = self.path(tenant, number, "salts")
        try:
            data = read_below(self.folder, path, limit=MAX_SALTS)
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
        with (
            explained(path, "erase"),
            opened_below(self.folder, "closed", tenant) as folder,
            os.fdopen(os.open(path.name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder), "r+b") as file,
        ):
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
                os.unlink(path.name, dir_fd=folder)
                os.fsync(folder)

    def drop(self, tenant: Tenant, number: int) -> None:
        """Remove the records of a segment for good; its signed closing stays, so that nobody can sign it again."""
        path = self.path(tenant, number, "seg")
        with explained(path, "remove"), opened_below(self.folder, "closed", tenant) as folder:
            with suppress(FileNotFoundError):
                os.unlink(path.name, dir_fd=folder)
            os.fsync(folder)

    def proof(self, tenant: Tenant, number: int) -> bytes | None:
        """Return where the log has a segment; None while it is not published."""
        try:
            return read_below(self.folder, self._proofs(tenant) / f"{number:08}.json", limit=MAX_PROOF)
        except NotFound:
            return None

    def last_proof(self, tenant: Tenant) -> int:
        """Return the number of the newest segment that was published; 0 where none was. Reads the whole folder."""
        return max(_numbers(self._proofs(tenant), "json"), default=0)

    def write_proof(self, tenant: Tenant, number: int, data: bytes) -> None:
        """Write where the log has a segment."""
        name = f"{number:08}.json"
        with (
            explained(self._proofs(tenant) / name, "write"),
            opened_below(self.folder, "proofs", tenant, make=True) as folder,
        ):
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
def _tree(
    files: SegmentFiles, tenant: Tenant, number: int, _changed: int, _size: int
) -> tuple[list[int], list[Sequence[bytes]]]:
    """Return where the records of a segment's file begin, and its tree: a caller may ask for many of its receipts."""
    leaves = files.leaves(tenant, number)
    offsets = list(accumulate((4 + len(leaf) for leaf in leaves), initial=len(segment.MAGIC)))
    return offsets, segment.levels_of([segment.leaf_hash(leaf) for leaf in leaves])


def _numbers(folder: Path, kind: str) -> Iterator[int]:
    return (int(path.stem) for path in folder.glob(f"*.{kind}") if path.stem.isdecimal())


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
                self._append(self.folder / tenant / f"{bucket:02x}", b"".join(found))

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
            rows = read_below(self.folder, self.folder / tenant / f"{key[0]:02x}", limit=MAX_BUCKET)
        except NotFound:
            return None
        at = rows.find(key)
        while at >= 0 and (at % _ROW.size or at + _ROW.size > len(rows)):
            at = rows.find(key, at + 1)
        return None if at < 0 else Place(*_ROW.unpack_from(rows, at)[1:])

    def marked(self, tenant: Tenant) -> int:
        """Return the number up to which every segment is indexed for good."""
        try:
            text = read_below(self.folder, self.folder / tenant / "marked", limit=32)
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
            raise NotFound(
                f"no answer of yours has the id {request}, or its segment is still open: that ends some seconds after "
                "the answer, a minute under steady traffic"
            )
        proof = self.files.proof(tenant, place.segment)
        if proof is None:
            return FoundReceipt(b"", RETRY_SECONDS)
        return FoundReceipt(self._receipt(tenant, request, place, proof))

    def _receipt(self, tenant: Tenant, request: RequestId, place: Place, proof: bytes) -> bytes:
        try:
            leaf, path = self.files.record(tenant, place.segment, place.index)
        except NotFound as error:
            raise NotFound("the records of that answer were destroyed when their period was over") from error
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
