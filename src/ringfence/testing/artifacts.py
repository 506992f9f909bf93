"""Sealed datasets in memory: folders, keyring, control plane; and what every implementation of a port has to do."""

import base64
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.artifacts import statements
from ringfence.artifacts.chunk import HEADER_SIZE, TAG_SIZE
from ringfence.artifacts.local import API
from ringfence.artifacts.model import (
    Custody,
    DatasetId,
    DatasetName,
    Erasure,
    Identity,
    ObjectId,
    Seal,
    Sealed,
    dataset_id,
)
from ringfence.artifacts.ports import Datasets, Keyring, Listing, Source, Vault, Work
from ringfence.artifacts.sealing import Memory, NewSeal, seal_tree
from ringfence.artifacts.service import Artifacts
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.commitment import Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError, Unavailable, UsageError, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import KeyId, LogOrigin, PersonId, Tenant
from ringfence.kernel.statement import Draft, Issuance, Statement, to_payload
from ringfence.testing.clock import START

TENANT = Tenant("acme")
PERSON = Person(PersonId("person-0123456789ab"), TENANT, Role.ENGINEER)


class Counting:
    """Bytes that look random and are the same in every run."""

    def __init__(self, seed: bytes = b"") -> None:
        self._seed, self._count = seed, 0

    def __call__(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self._count += 1
        return hashlib.shake_256(self._seed + self._count.to_bytes(8, "big")).digest(size)


class MemorySink:
    """A file that grows in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append."""
        self.data += data


class MemoryFolder:
    """A folder in memory; `room` bytes fit, then the disk is full."""

    def __init__(self, room: int = 2**40) -> None:
        self.sinks: dict[str, MemorySink] = {}
        self.room = room

    @contextmanager
    def create(self, name: str) -> Iterator[MemorySink]:
        """Create a file."""
        if name in self.sinks:
            raise UsageError(f"{name} exists already")
        sink = self.sinks[name] = MemorySink()
        yield sink
        if sum(len(sink.data) for sink in self.sinks.values()) > self.room:
            raise Unavailable("the disk is full")

    @property
    def files(self) -> dict[str, bytes]:
        """Return what was written."""
        return {name: bytes(sink.data) for name, sink in self.sinks.items()}


@dataclass
class MemoryVault:
    """A sealed dataset in memory; `files` is there for a test to spoil."""

    files: dict[str, bytes]

    def listing(self) -> Listing:
        """Return every name."""
        top = {name.partition("/")[0] for name in self.files} | {"objects", "chunks"}
        return Listing(frozenset(top), self._below("objects/"), self._below("chunks/"))

    def _below(self, prefix: str) -> frozenset[str]:
        return frozenset(name.removeprefix(prefix) for name in self.files if name.startswith(prefix))

    @contextmanager
    def open(self, name: str) -> Iterator[Source]:
        """Open one file."""
        if name not in self.files:
            raise NotFound(f"{name} is missing")
        yield Memory(self.files[name])

    def read(self, name: str, limit: int) -> bytes:
        """Return one file."""
        with self.open(name) as source:
            if source.size > limit:
                raise UsageError(f"{name} has {source.size} bytes; the limit is {limit}")
            return self.files[name]


class MemoryWork(MemoryFolder):
    """An unfinished seal in memory; `used` keeps all that was ever encrypted: object and salt, chunk, ciphertext.

    After `writes` more writes each one fails, as on a machine that goes down; `torn` bytes of the first are there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: list[tuple[bytes, int, bytes]] = []
        self.writes, self.torn = 2**40, 0

    def written(self, place: bytes, number: int, data: bytes) -> int:
        """Note what is written and return how much of it gets there: all but where the machine goes down."""
        if number >= 0:
            self.used.append((place, number, hashlib.sha256(data).digest()))
        self.writes -= 1
        return len(data) if self.writes >= 0 else self.torn if self.writes == -1 else 0

    @property
    def vault(self) -> "MemoryVault":
        """Return what is there."""
        return MemoryVault(self.files)

    @contextmanager
    def create(self, name: str) -> Iterator[MemorySink]:
        """Create a file whose chunks are counted."""
        sink = self.sinks[name] = _CountedSink(self, is_object=name.startswith("objects/"))
        yield sink

    def open(self, name: str) -> AbstractContextManager[Source]:
        """Open a file."""
        return self.vault.open(name)

    def read(self, name: str, limit: int) -> bytes:
        """Return a file."""
        return self.vault.read(name, limit)

    def remove(self, name: ObjectId) -> None:
        """Remove an object."""
        for path in (f"objects/{name}", f"chunks/{name}"):
            self.sinks.pop(path, None)

    @property
    def key_file(self) -> bytes:
        """Return the wrapped key."""
        return self.files.get("key.json", b"")

    @property
    def journal(self) -> bytes:
        """Return what was noted."""
        return self.files.get("journal", b"")

    def note(self, line: bytes) -> None:
        """Append to the journal."""
        self.sinks.setdefault("journal", MemorySink()).write(line)

    @contextmanager
    def begun(self, name: str) -> Iterator["MemoryBegun"]:
        """Open or begin a large object."""
        yield MemoryBegun(self, self.sinks.setdefault(f"partial/{name}", MemorySink()).data)

    def complete(self, name: str, object_: ObjectId) -> None:
        """Let it be an object."""
        self.sinks[f"objects/{object_}"] = self.sinks.pop(f"partial/{name}")

    def keep(self, objects: Sequence[ObjectId], journal: int, begun: Callable[[], Collection[str]]) -> int:
        """Remove the rest."""
        kept = {"key.json", "journal"} | {f"{folder}/{name}" for name in objects for folder in ("objects", "chunks")}
        going_on = {f"partial/{name}" for name in begun()} & self.sinks.keys()
        for name in self.sinks.keys() - kept - going_on:
            del self.sinks[name]
        del self.sinks["journal"].data[journal:]
        return len(going_on)

    def drop_begun(self) -> None:
        """Remove what was begun."""
        for name in [name for name in self.sinks if name.startswith("partial/")]:
            del self.sinks[name]

    def publish(self, dataset: DatasetId, epoch: int) -> None:
        """Do nothing: it is in its place."""

    def settle(self, envelope: bytes | None) -> None:  # noqa: ARG002
        """Forget the journal."""
        del self.sinks["journal"]

    def discard(self) -> None:
        """Remove all."""
        self.sinks.clear()


class _CountedSink(MemorySink):
    """A file that says where each write of it stands; the first one of an object is its header."""

    def __init__(self, work: MemoryWork, *, is_object: bool) -> None:
        super().__init__()
        self._work, self._is_object, self._count = work, is_object, -1

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append, or fail."""
        number = self._count if self._is_object else -1
        there = self._work.written(bytes(self.data[48:96]), number, bytes(data))
        self._count += 1
        super().write(data[:there])
        if there < len(data) or self._work.writes < 0:
            raise Unavailable("the machine went down")


class MemoryBegun:
    """A large object in memory; as with a real one, a cut or a write is there at once."""

    def __init__(self, work: MemoryWork, data: bytearray) -> None:
        self._work, self._data = work, data
        self.size = len(data)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Copy bytes."""
        return Memory(bytes(self._data[offset : offset + len(buffer)])).read_into(buffer, 0)

    def unchanged(self) -> bool:
        """Nobody asks."""
        raise NotImplementedError

    def write_at(self, data: memoryview | bytes, offset: int) -> None:
        """Write, or fail in the middle; each write but that of the header is one chunk."""
        step = int.from_bytes(self._data[12:16], "big") + TAG_SIZE
        number = (offset - HEADER_SIZE) // step if offset else -1
        there = self._work.written(bytes(self._data[48:96]), number, bytes(data))
        self._data.extend(bytes(max(0, offset + there - len(self._data))))
        self._data[offset : offset + there] = data[:there]
        if there < len(data) or self._work.writes < 0:
            raise Unavailable("the machine went down")

    def cut(self, size: int) -> None:
        """Let it end there."""
        del self._data[size:]


@dataclass
class MemoryTree:
    """Files to be sealed; those in `moving` change while they are read."""

    contents: Mapping[str, bytes]
    moving: frozenset[str] = frozenset()

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file."""
        for path in self.contents:
            with self.open(path) as source:
                yield path, source

    def listed(self) -> Iterator[tuple[str, Identity]]:
        """Give each file with what it is known by: its content stands for its times."""
        for path, data in self.contents.items():
            yield path, _identity(data)

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        """Open one file."""
        if path not in self.contents:
            raise NotFound(f"{path} is missing")
        data = self.contents[path]
        yield Moving(data) if path in self.moving else Memory(data)

    def identity(self, source: Source) -> Identity:
        """Return which file was opened."""
        buffer = bytearray(source.size)
        source.read_into(memoryview(buffer), 0)
        return _identity(bytes(buffer))


def _identity(data: bytes) -> Identity:
    return Identity(1, 1, len(data), int.from_bytes(hashlib.sha256(data).digest()[:7]), 0)


class Moving(Memory):
    """A source that is not what it was when it was opened."""

    def unchanged(self) -> bool:
        """It is not."""
        return False


class MemoryKeyring:
    """Hand out tokens for dataset keys; another keyring does not know them."""

    def __init__(self, name: str = "one", custody: Custody = Custody.EXTERNAL) -> None:
        self.kek = hashlib.sha256(name.encode()).hexdigest()[:32]
        self.custody: Custody = custody
        self._keys: dict[bytes, bytes] = {}

    def wrap(self, dataset_key: bytes | bytearray) -> bytes:
        """Return a token."""
        token = hashlib.sha256(self.kek.encode() + dataset_key).digest()
        self._keys[token] = bytes(dataset_key)
        return token

    def unwrap(self, wrapped: bytes) -> bytearray:
        """Return the key of a token."""
        if wrapped not in self._keys:
            raise VerificationFailed("the wrapped key was changed, or another key wrapped it")
        return bytearray(self._keys[wrapped])


class MemoryDatasets:
    """`Datasets` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Tenant, DatasetId, int], Sealed] = {}
        self.envelopes: dict[Digest, Digest] = {}  # seal to statement

    def by_name(self, tenant: Tenant, name: DatasetName) -> Sealed | None:
        """Return the newest epoch."""
        return next((row for row in self.all(tenant) if row.name == name), None)

    def by_id(self, tenant: Tenant, dataset: DatasetId) -> Sealed | None:
        """Return the newest epoch."""
        return next(reversed(self.epochs(tenant, dataset)), None)

    def all(self, tenant: Tenant) -> list[Sealed]:
        """Return every dataset by name."""
        newest = {row.dataset: row for row in self.epochs(tenant)}
        return list(newest.values())

    def epochs(self, tenant: Tenant, dataset: DatasetId | None = None) -> list[Sealed]:
        """Return every epoch."""
        found = [row for (owner, name, _), row in self.rows.items() if owner == tenant and dataset in {None, name}]
        return sorted(found, key=lambda row: (row.name, row.epoch))

    def epoch(self, tenant: Tenant, dataset: DatasetId, number: int) -> Sealed | None:
        """Return one epoch."""
        return self.rows.get((tenant, dataset, number))

    def envelope(self, tenant: Tenant, sealed: Sealed) -> Digest:  # noqa: ARG002
        """Return the statement's digest."""
        return self.envelopes[sealed.seal]

    def erase(self, tenant: Tenant, sealed: Sealed, requested: Digest) -> None:
        """Note that it is being erased."""
        if self.rows[tenant, sealed.dataset, sealed.epoch].erasure is not None:
            raise Conflict(f"epoch {sealed.epoch} of {sealed.name} is being erased already")
        self.rows[tenant, sealed.dataset, sealed.epoch] = replace(sealed, erasure=Erasure(requested, done=False))

    def erased(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:  # noqa: ARG002
        """Note that it is erased."""
        row = self.rows[tenant, sealed.dataset, sealed.epoch]
        if row.erasure is not None:
            done = replace(row.erasure, done=True)
            self.rows[tenant, sealed.dataset, sealed.epoch] = replace(row, erasure=done)

    def put(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Add an epoch."""
        known = self.by_id(tenant, sealed.dataset)
        named = self.by_name(tenant, sealed.name)
        others = any(owner != tenant and dataset == sealed.dataset for owner, dataset, _ in self.rows)
        if others or (known and known.epoch >= sealed.epoch) or (named and named.dataset != sealed.dataset):
            raise Conflict(f"epoch {sealed.epoch} of {sealed.name} is recorded already")
        self.rows[tenant, sealed.dataset, sealed.epoch] = sealed
        self.envelopes[sealed.seal] = envelope


@dataclass
class MemoryRecorder:
    """Take every statement in; `broken` makes recording or publication fail."""

    admitted: list[Envelope] = field(default_factory=list)
    broken: RingfenceError | None = None
    unpublished: RingfenceError | None = None

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Artifacts records nothing by itself."""
        raise NotImplementedError

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:  # noqa: ARG002
        """Sequence a statement, once per idempotency key."""
        if self.broken:
            raise self.broken
        key = envelope.statement.issuance.idempotency_key
        for number, known in enumerate(self.admitted, start=1):
            if known.statement.issuance.idempotency_key == key:
                return Acknowledgement(known.digest, number, Stage.SEQUENCED)
        self.admitted.append(envelope)
        return Acknowledgement(envelope.digest, len(self.admitted), Stage.SEQUENCED)

    def published(self, envelope: Digest) -> Acknowledgement:
        """Publish at once."""
        if self.unpublished:
            raise self.unpublished
        return Acknowledgement(envelope, len(self.admitted), Stage.PUBLISHED, entry=len(self.admitted) - 1)


class MemoryControl:
    """The control plane without HTTP: the real service over fakes."""

    def __init__(self) -> None:
        self.tenant = TENANT
        self.recorder = MemoryRecorder()
        self.datasets = MemoryDatasets()
        self.service = Artifacts(nullcontext, self.datasets, self.recorder, self.recorder)
        self.after: Callable[[str], None] = lambda _path: None  # a test may fail here: recorded, answer lost
        self._random = Counting(b"control")
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))

    @property
    def stated(self) -> list[Statement]:
        """Return every statement that was taken in."""
        return [envelope.statement for envelope in self.recorder.admitted]

    def get(self, path: str) -> Any:
        """List the datasets."""
        if path == f"{API}/epochs":
            return {"epochs": [statements.to_json(row) for row in self.service.epochs(TENANT)]}
        if path != API:
            raise NotFound(path)
        return {"datasets": [statements.to_json(row) for row in self.service.all(TENANT)]}

    def state(self, draft: Draft, *, path: str, body: Mapping[str, Any]) -> Any:
        """Sign and post."""
        envelope, opening = self.signed(draft)
        answer = self._posted(path, body, envelope, opening)
        self.after(path)
        return answer

    def signed(self, draft: Draft) -> tuple[Envelope, Opening | None]:
        """Sign a draft as the operator does."""
        opening = commit(draft.details, self._random(32)) if draft.details else None
        nonce = self._random(16).hex()
        issuance = Issuance(
            tenant=TENANT,
            log=LogOrigin("example.eu/log"),
            issuer=KeyId(key_id_of(self._key.public_key().public_bytes_raw())),
            strength=draft.strength,
            sequence=len(self.recorder.admitted) + 1,
            nonce=nonce,
            idempotency_key=draft.idempotency_key or nonce,
            issued_at=START,
        )
        commitment = opening.commitment if opening else None
        statement = draft.issued(issuance, commitment)
        return sign(to_payload(statement), self._key), opening

    def _posted(self, path: str, body: Mapping[str, Any], envelope: Envelope, opening: Opening | None) -> Any:
        if path == API:
            dataset, done = self.service.seal(PERSON, DatasetName(body["name"]), envelope, opening)
            text = base64.b64encode(envelope.data).decode()
            return statements.to_json(dataset) | {"statement": done.to_json(), "envelope": text}
        identifier, verb = path.removeprefix(API + "/").split("/")
        if verb == "erasures":
            done = self.service.erase(PERSON, dataset_id(identifier), envelope, opening)
        elif verb == "erased":
            done = self.service.erased(PERSON, dataset_id(identifier), envelope)
        elif verb == "opened":
            done = self.service.open(PERSON, dataset_id(identifier), envelope, opening)
        else:
            kind = {"verified": statements.VERIFIED, "provenance": statements.PROVENANCE}[verb]
            done = self.service.state(PERSON, dataset_id(identifier), kind, envelope, opening)
        return {"statement": done.to_json()}


@dataclass(frozen=True, slots=True)
class InMemory:
    """A dataset that was sealed in memory."""

    vault: MemoryVault
    digest: Digest
    seal: Seal
    keyring: MemoryKeyring


def sealed_in_memory(
    contents: Mapping[str, bytes], *, epoch: int = 1, chunk_size: int = 2**16, dataset: str = "a" * 32
) -> InMemory:
    """Seal files with randomness that is the same in every run."""
    folder, keyring = MemoryFolder(), MemoryKeyring()
    new = NewSeal(DatasetId(dataset), epoch, chunk_size)
    seal = seal_tree(MemoryTree(contents), folder, new, keyring, Counting(b"epoch %d" % epoch))
    return InMemory(MemoryVault(folder.files), Digest.of(folder.files["seal.json"]), seal, keyring)


# What every implementation of a port has to do.


def unwraps_what_it_wrapped(keyring: Keyring) -> None:
    """Check that a key comes back, as bytes that can be overwritten, and that the wrapping hides it."""
    key = bytes(range(32))
    wrapped = keyring.wrap(bytearray(key))
    found = keyring.unwrap(wrapped)
    assert isinstance(found, bytearray)
    assert found == key
    assert key not in wrapped


def refuses_a_changed_wrapping(keyring: Keyring) -> None:
    """Check that no bit of a wrapping can be changed, nor its length."""
    wrapped = keyring.wrap(bytes(range(32)))
    changed = [wrapped[:-1], wrapped + b"\0", b""]
    changed += [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]
    assert all(_raises(VerificationFailed, keyring.unwrap, bad) for bad in changed)


def names_its_key(keyring: Keyring) -> None:
    """Check that the id of the key has 32 hexadecimal digits and that custody is stated."""
    assert len(keyring.kek) == 32
    assert set(keyring.kek) <= set("0123456789abcdef")
    assert keyring.custody in set(Custody)


def reads_exactly(vault: Vault, name: str, data: bytes) -> None:
    """Check that `name` holds `data`: whole, from every offset, and nothing behind its end."""
    assert vault.read(name, len(data)) == data
    assert _raises(UsageError, vault.read, name, len(data) - 1)
    with vault.open(name) as source:
        assert source.size == len(data)
        for offset in range(len(data) + 2):
            buffer = memoryview(bytearray(len(data) + 1))
            count = source.read_into(buffer, offset)
            assert bytes(buffer[:count]) == data[offset:]
        assert source.unchanged()


def goes_on_with_what_was_begun(work: Work) -> None:
    """Check that what was begun is read and written in any place, stays if it is named, and becomes an object."""
    work.note(b"line")
    assert work.keep([], 4, lambda: ["one"]) == 0
    for name in ("one", "two"):
        with work.begun(name) as begun:
            assert begun.size == 0
            begun.write_at(bytes(200), 0)
            begun.write_at(memoryview(b"end"), 300)
            begun.write_at(b"middle", 128)
    assert work.keep([], 2, lambda: ["one", "three"]) == 1
    assert work.journal == b"li"
    with work.begun("two") as begun:
        assert begun.size == 0
    with work.begun("one") as begun:
        assert begun.size == 303
        buffer = memoryview(bytearray(400))
        assert begun.read_into(buffer, 128) == 175
        assert bytes(buffer[:7]) == b"middle\0"
        begun.cut(134)
        assert begun.read_into(buffer, 128) == 6
    work.complete("one", ObjectId("1" * 32))
    work.drop_begun()
    work.drop_begun()
    assert work.read(f"objects/{'1' * 32}", 200)[128:] == b"middle"
    assert work.keep([ObjectId("1" * 32)], 2, lambda: ["one", "two"]) == 0
    assert len(work.read(f"objects/{'1' * 32}", 200)) == 134


def refuses_what_is_not_there(vault: Vault) -> None:
    """Check that missing files are reported in our family."""
    for name in ("nothing", "objects/nothing", "no/folder"):
        assert _raises(UsageError, vault.read, name, 10)


def keeps_epochs_apart(datasets: Datasets) -> None:
    """Check that the newest epoch is found by name and id, in its tenant only, and that none is written twice."""
    first = example(epoch=1)
    second = example(epoch=2)
    datasets.put(TENANT, first, first.seal)
    assert _raises(Conflict, datasets.put, TENANT, first, first.seal)
    datasets.put(TENANT, second, second.seal)
    datasets.put(TENANT, example(name="another", dataset="b" * 32), first.seal)
    assert datasets.by_name(TENANT, first.name) == second
    assert datasets.by_id(TENANT, first.dataset) == second
    assert [row.name for row in datasets.all(TENANT)] == ["another", "claims"]
    assert datasets.all(Tenant("other")) == []
    assert datasets.by_id(Tenant("other"), first.dataset) is None
    assert datasets.epochs(TENANT, first.dataset) == [first, second]
    assert [(row.name, row.epoch) for row in datasets.epochs(TENANT)] == [("another", 1), ("claims", 1), ("claims", 2)]
    assert datasets.epochs(Tenant("other")) == []
    assert datasets.epoch(TENANT, first.dataset, 1) == first
    assert datasets.epoch(TENANT, first.dataset, 3) is None
    assert datasets.envelope(TENANT, second) == second.seal
    assert _raises(Conflict, datasets.put, TENANT, example(dataset="c" * 32), first.seal)
    assert _raises(Conflict, datasets.put, Tenant("other"), first, first.seal)
    assert datasets.all(Tenant("other")) == []


def remembers_erasures(datasets: Datasets) -> None:
    """Check that an epoch is being erased, then erased, once, and no other one with it."""
    first, second = example(epoch=1), example(epoch=2)
    datasets.put(TENANT, first, first.seal)
    datasets.put(TENANT, second, second.seal)
    requested = Digest.of(b"requested")
    datasets.erase(TENANT, first, requested)
    assert _raises(Conflict, datasets.erase, TENANT, first, requested)
    assert datasets.epoch(TENANT, first.dataset, 1) == replace(first, erasure=Erasure(requested, done=False))
    datasets.erased(TENANT, first, Digest.of(b"done"))
    assert datasets.epoch(TENANT, first.dataset, 1) == replace(first, erasure=Erasure(requested, done=True))
    assert datasets.by_id(TENANT, first.dataset) == second


def example(*, epoch: int = 1, name: str = "claims", dataset: str = "a" * 32) -> Sealed:
    """Return a recorded dataset."""
    return Sealed(
        dataset=DatasetId(dataset),
        name=DatasetName(name),
        epoch=epoch,
        seal=Digest.of(f"{dataset}{epoch}".encode()),
        objects=2,
        total_bytes=3,
        ciphertext_root=Digest.of(b"root"),
        key_custody=Custody.FILE_PASSPHRASE,
    )


def _raises(kind: type[RingfenceError], act: Callable[..., object], *arguments: object) -> bool:
    try:
        act(*arguments)
    except kind:
        return True
    return False
