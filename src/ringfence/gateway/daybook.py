"""What one file of the gateway's journal holds: who was admitted, what ended, and how the next file begins.

Format: docs/specs/segment.md, section 5. Frames go in and come out as bytes; nothing here touches a file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from ringfence.gateway import records
from ringfence.gateway.commitments import SALT_SIZE
from ringfence.gateway.model import Basis, RequestId, request_id
from ringfence.gateway.records import MAX_RECORD, Admitted, Because, Finished, Outcome
from ringfence.gateway.segment import Closing, leaf_hash, root_of
from ringfence.kernel import digest, identifier
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.kernel.identifier import Tenant

PREFIX = 4 + SIZE  # length and SHA-256 of a frame's payload
MAX_ADMISSION = PREFIX + 1 + SALT_SIZE + MAX_RECORD
MAX_FINISH = PREFIX + 1 + 16 + 1024  # what is kept free for the end of every request that is admitted
MAX_FRAME = 2**20
LONGEST_GROUP = 2**18  # bytes of a frame that holds several payloads
_STATE, _ADMITTED, _FINISHED, _GROUP = b"S", b"A", b"F", b"G"


class Counts(NamedTuple):
    """How far a tenant has come."""

    segment: int = 1  # the number that its next segment gets
    admitted: int = 0
    finished: int = 0  # in segments that are closed


NEW = Counts()


class Open(NamedTuple):  # as one is made per request: a third of what a dataclass costs
    """A request that was admitted and has not ended."""

    tenant: Tenant
    basis: Basis
    data: bytes  # its half of the record
    salt: bytes


@dataclass(slots=True)
class Ended:
    """What ended of one tenant since the journal's file was begun."""

    leaves: list[bytes] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    salts: list[bytes] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    bases: Counter[Basis] = field(default_factory=Counter)


@dataclass(slots=True)
class Daybook:
    """The state that the frames of one file add up to."""

    counts: dict[Tenant, Counts] = field(default_factory=dict)
    open: dict[bytes, Open] = field(default_factory=dict)
    ended: dict[Tenant, Ended] = field(default_factory=dict)
    tenants: dict[bytes, Tenant] = field(default_factory=dict)  # of every request here, open or ended
    finished: int = 0

    @property
    def records(self) -> int:
        """Return how many records it will hold once everything that is open has ended."""
        return self.finished + len(self.open)

    def admit(self, record: Admitted) -> bytes:
        """Number an admission and return the payload of its frame."""
        number = self.counts.get(record.terms.tenant, NEW).admitted + 1
        data = records.admitted_bytes(record, number)
        self.enter(_key(record.request), record, data, number)
        return b"A%b%b" % (record.salt, data)

    def finish(self, record: Finished) -> bytes:
        """Take the end of an open request and return the payload of its frame."""
        key, data = _key(record.request), records.finished_bytes(record)
        if key not in self.open:
            raise InternalError(f"{record.request} ended without having been admitted, or ended twice")
        self.end(key, record.outcome, data)
        return b"F%b%b" % (key, data)

    def enter(self, key: bytes, record: Admitted, data: bytes, number: int) -> None:
        """Take an admission that has its number."""
        if key in self.tenants:
            raise InternalError(f"{record.request} was admitted twice")
        terms = record.terms
        tenant = terms.tenant
        segment, admitted, finished = self.counts.get(tenant, NEW)
        self.counts[tenant] = Counts(segment, max(number, admitted), finished)
        self.tenants[key] = tenant
        self.open[key] = Open(tenant, terms.model.basis, data, record.salt)

    def end(self, key: bytes, outcome: Outcome, data: bytes) -> None:
        """Take the end of what is open under `key`."""
        first = self.open.pop(key)
        ended = self.ended.get(first.tenant) or self.ended.setdefault(first.tenant, Ended())
        ended.leaves.append(records.joined(first.data, data))
        ended.requests.append(key)
        ended.salts.append(first.salt)
        ended.outcomes[outcome] += 1
        ended.bases[first.basis] += 1
        self.finished += 1

    def abort_open(self, at: datetime) -> list[bytes]:
        """End what was open when the gateway died, and return the payloads: nobody knows how far those answers came."""
        ends = []
        for key in list(self.open):
            end = Finished(
                _request(key), at, Outcome.ABORTED, status=0, response_commitment=b"", because=Because.GATEWAY_RESTARTED
            )
            ends.append(self.finish(end))
        return ends

    def tenant_of(self, request: RequestId) -> Tenant | None:
        """Return whose request it is; None where it is not in this book."""
        return self.tenants.get(_key(request))

    def closings(self) -> Iterator[tuple[Tenant, Ended, Closing]]:
        """Yield what each tenant's segment is to assert."""
        for tenant, ended in sorted(self.ended.items()):
            counts = self.counts[tenant]
            root = Digest(root_of([leaf_hash(leaf) for leaf in ended.leaves]))
            finished = counts.finished + len(ended.leaves)
            yield (
                tenant,
                ended,
                Closing(
                    counts.segment, root, len(ended.leaves), counts.admitted, finished, ended.outcomes, ended.bases
                ),
            )

    def successor(self) -> tuple["Daybook", list[bytes]]:
        """Return the book that follows this one, and the frames that its file begins with."""
        counts = dict(self.counts)
        for tenant, ended in self.ended.items():
            before = counts[tenant]
            counts[tenant] = before._replace(segment=before.segment + 1, finished=before.finished + len(ended.leaves))
        book = Daybook(counts, dict(self.open), tenants={key: one.tenant for key, one in self.open.items()})
        return book, [state_frame(counts), *(frame(_ADMITTED + one.salt + one.data) for one in book.open.values())]


def frame(payload: bytes) -> bytes:
    """Return a payload as it stands in the file."""
    return len(payload).to_bytes(4, "big") + sha256(payload).digest() + payload


def frames_of(payloads: Iterable[bytes]) -> bytes:
    """Return payloads as they stand in the file: several below one hash, since they become durable together."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for payload in payloads:
        size += len(payload)
        if size > LONGEST_GROUP and groups[-1]:
            size = len(payload)
            groups.append([])
        groups[-1].append(payload)
    return b"".join([_framed(group) for group in groups if group])


def _framed(group: list[bytes]) -> bytes:
    if len(group) == 1:
        return frame(group[0])  # so that a group never takes more room than its payloads would one by one
    parts = [_GROUP]
    for payload in group:
        parts += (len(payload).to_bytes(4, "big"), payload)
    return frame(b"".join(parts))


def state_frame(counts: dict[Tenant, Counts]) -> bytes:
    """Return the frame that begins a file: where each tenant stands."""
    document = {tenant: [one.segment, one.admitted, one.finished] for tenant, one in counts.items()}
    return frame(_STATE + digest.dumps(document))


def payloads(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of a file up to the first that is missing or torn: that one was never acknowledged."""
    at = 0
    while at + PREFIX <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        payload = data[at + PREFIX : at + PREFIX + length]
        if not 0 < length <= MAX_FRAME or sha256(payload).digest() != data[at + 4 : at + PREFIX]:
            return
        yield payload
        at += PREFIX + length


def extent(data: bytes) -> int:
    """Return where the last whole frame of a file ends."""
    return sum(PREFIX + len(payload) for payload in payloads(data))


def replay(data: bytes, *, source: str = "") -> Daybook:
    """Return the book that a file's frames add up to, its torn end left out.

    Raises:
        MalformedInput: it does not begin with a state, or a whole frame does not belong where it stands.
    """
    frames = payloads(data)
    book = Daybook(_counts(next(frames, b""), source))
    for payload in frames:
        _replay(book, payload, source)
    return book


def _replay(book: Daybook, payload: bytes, source: str) -> None:
    for each in _grouped(payload[1:], source) if payload[:1] == _GROUP else (payload,):
        _replay_one(book, each, source)


def _grouped(rest: bytes, source: str) -> Iterator[bytes]:
    """Yield the payloads of a group."""
    at = 0
    while at < len(rest):
        end = at + 4 + int.from_bytes(rest[at : at + 4], "big")
        if not at + 4 < end <= len(rest):
            raise MalformedInput("a group of the journal does not add up", source=source)
        yield rest[at + 4 : end]
        at = end


def _replay_one(book: Daybook, payload: bytes, source: str) -> None:
    kind, rest = payload[:1], payload[1:]
    if kind not in (_ADMITTED, _FINISHED):
        raise MalformedInput("a frame of the journal is of a kind that is not known", source=source)
    try:
        _enter(book, rest) if kind == _ADMITTED else _end(book, rest)
    except (MalformedInput, InternalError, KeyError) as error:
        raise MalformedInput(f"a frame of the journal does not belong there: {error}", source=source) from error


def _enter(book: Daybook, rest: bytes) -> None:
    salt, data = rest[:SALT_SIZE], rest[SALT_SIZE:]
    number, admitted = records.read_admitted(_object(data), salt)
    book.enter(_key(admitted.request), admitted, data, number)


def _end(book: Daybook, rest: bytes) -> None:
    key, data = rest[:16], rest[16:]
    book.end(key, records.read_finished(_object(data), _request(key)).outcome, data)


def _object(data: bytes) -> dict[str, object]:
    document = digest.loads(data, limit=MAX_RECORD)
    if not isinstance(document, dict):
        raise MalformedInput("half a record is a JSON object")
    return document


def _counts(payload: bytes, source: str) -> dict[Tenant, Counts]:
    document = digest.loads(payload[1:], source=source, limit=MAX_FRAME) if payload[:1] == _STATE else None
    if not isinstance(document, dict):
        raise MalformedInput("the journal's file does not begin with its state; it is damaged", source=source)
    try:
        return {identifier.tenant(name): _count(value) for name, value in document.items()}
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def _count(value: object) -> Counts:
    match value:
        case [int() as segment, int() as admitted, int() as finished] if 0 <= finished <= admitted and segment > 0:
            return Counts(segment, admitted, finished)
        case _:
            raise MalformedInput("the state of a tenant is segment, admitted and finished")


def _key(request: RequestId) -> bytes:
    return bytes.fromhex(request[4:])


def _request(key: bytes) -> RequestId:
    return request_id(f"req-{key.hex()}")
