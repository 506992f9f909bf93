"""Everything that sealed datasets need from the outside world."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ringfence.artifacts.model import (
    Custody,
    DatasetId,
    DatasetName,
    Destroyed,
    Finished,
    Identity,
    NewSeal,
    ObjectId,
    Sealed,
    Task,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft

Random = Callable[[int], bytes]
Moved = Callable[[int], None]  # hears of so many bytes that were sealed or checked


class Source(Protocol):
    """One open regular file, never opened again by name."""

    @property
    def size(self) -> int:
        """Return the size in bytes, as it was when the file was opened."""
        ...

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill `buffer` from `offset` on; fewer bytes than it holds mean end of file and nothing else."""
        ...

    def unchanged(self) -> bool:
        """Tell whether size and times are those of when it was opened."""
        ...


class Sink(Protocol):
    """One new file."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append all of `data`; raise `Unavailable` where the disk is full."""
        ...


class PlainTree(Protocol):
    """The files to be sealed."""

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file with its path, open only until the next is asked for; raise `UsageError` for a link."""
        ...


class NamedTree(PlainTree, Protocol):
    """The same, where each file can be found again: by worker processes, and by a seal that goes on."""

    def listed(self) -> Iterator[tuple[str, Identity]]:
        """Give the path of each file and which file it is, without opening it; raise `UsageError` for a link."""
        ...

    def open(self, path: str) -> AbstractContextManager[Source]:
        """Open one file, without following links."""
        ...

    def identity(self, source: Source) -> Identity:
        """Return which file was opened."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """The names that a sealed dataset's directory holds."""

    top: frozenset[str]
    objects: frozenset[str]
    chunks: frozenset[str]


class Vault(Protocol):
    """One sealed dataset's directory, for reading."""

    def listing(self) -> Listing:
        """Return every name in it, files or not."""
        ...

    def open(self, name: str) -> AbstractContextManager[Source]:
        """Open a regular file by its name below the directory; raise `UsageError` (`NotFound`) where there is none."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole file of at most `limit` bytes."""
        ...


class Folder(Protocol):
    """A new directory that is being filled, to appear in its place as a whole or not at all."""

    def create(self, name: str) -> AbstractContextManager[Sink]:
        """Create a file by its path below the folder; it must not exist."""
        ...


class Staged(Folder, Protocol):
    """A sealed dataset on its way to its place."""

    def publish(self, dataset: DatasetId, epoch: int) -> None:
        """Flush everything to disk and move it to its place in one step; raise `Conflict` where that is taken."""
        ...

    def settle(self, envelope: bytes | None) -> None:
        """Keep the statement's envelope, if at hand, beside the seal: the dataset is recorded now."""
        ...

    def discard(self) -> None:
        """Remove it, wherever it is by now."""
        ...


class Begun(Source, Protocol):
    """The object of a large file that was begun, perhaps long ago; nothing that it holds is to be believed."""

    def write_at(self, data: memoryview | bytes, offset: int) -> None:
        """Write all of `data` there; raise `Unavailable` where the disk is full."""
        ...

    def cut(self, size: int) -> None:
        """Let it end after so many bytes."""
        ...


class Workplace(Folder, Protocol):
    """Where objects are written, read again, and removed."""

    def begun(self, name: str) -> AbstractContextManager[Begun]:
        """Open what was begun under a name, or begin it."""
        ...

    def complete(self, name: str, object_: ObjectId) -> None:
        """Give what was begun its place among the objects."""
        ...

    def open(self, name: str) -> AbstractContextManager[Source]:
        """Open a regular file; raise `UsageError` (`NotFound`) where there is none."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole file of at most `limit` bytes."""
        ...

    def remove(self, name: ObjectId) -> None:
        """Remove an object and its hashes; one that is not there is no error."""
        ...


class Work(Workplace, Staged, Protocol):
    """A sealed dataset on its way that outlives its writer: what is noted is there for whoever goes on."""

    @property
    def key_file(self) -> bytes:
        """Return the file of the wrapped key, empty where there is none."""
        ...

    @property
    def journal(self) -> bytes:
        """Return what was noted, perhaps with a torn end; empty in the beginning."""
        ...

    def note(self, line: bytes) -> None:
        """Append to the journal."""
        ...

    def keep(self, objects: Sequence[ObjectId], journal: int, begun: Callable[[], Collection[str]]) -> int:
        """Remove all that is neither one of these objects, nor the key file, nor the journal's first bytes.

        Of what was begun, what `begun` names stays, which is not asked where nothing was; return how much that is.
        """
        ...

    def drop_begun(self) -> None:
        """Remove what was begun and not completed: no dataset holds any of it."""
        ...


class Crew(Protocol):
    """Whoever seals files: this process, or several."""

    def __call__(
        self, files: NamedTree, work: Work, new: NewSeal, key: bytearray, tasks: Sequence[Task], moved: Moved, /
    ) -> Iterator[tuple[Task, Finished]]:
        """Give each task with its outcome, in any order."""
        ...


class Vaults(Protocol):
    """The sealed datasets that lie on this machine."""

    def working(
        self, tenant: Tenant, recorded: Mapping[DatasetId, int], mine: Callable[[Work], bool | None]
    ) -> AbstractContextManager[Work]:
        """Go on with the unfinished seal that is `mine`, or start a new one.

        `mine` answers None for one that nobody can go on with: it is removed. Without `settle` it stays for the next
        time, unless a refusal ended it after `publish`.
        """
        ...

    def staging(self, tenant: Tenant, recorded: Mapping[DatasetId, int]) -> AbstractContextManager[Staged]:
        """Start a new sealed dataset, after removing what killed writers left.

        `recorded` maps each dataset that the tenant has recorded to its newest epoch. What has been published on
        disk and is not recorded is removed too. Without `settle` or an error of unknown outcome the new one is
        removed at the end.
        """
        ...

    def vault(self, dataset: DatasetId, epoch: int) -> AbstractContextManager[Vault]:
        """Open one for reading; raise `NotFound` where it is not on this machine."""
        ...


class Keyring(Protocol):
    """A key-encryption key that wraps dataset keys and never leaves where it is."""

    @property
    def kek(self) -> str:
        """Return the id of the key-encryption key: 32 hexadecimal digits."""
        ...

    @property
    def custody(self) -> Custody:
        """Return how it is kept."""
        ...

    def wrap(self, dataset_key: bytes | bytearray) -> bytes:
        """Wrap a dataset key."""
        ...

    def unwrap(self, wrapped: bytes) -> bytearray:
        """Return the dataset key, which the caller overwrites after use; raise `VerificationFailed`."""
        ...


class Control(Protocol):
    """The control plane, as `ringfence.frontends.client.Client` reaches it."""

    @property
    def tenant(self) -> Tenant:
        """Return the tenant of whoever is asking."""
        ...

    def get(self, path: str) -> Any:
        """Return the parsed answer."""
        ...

    def state(self, draft: Draft, *, path: str, body: Mapping[str, Any]) -> Any:
        """Sign `draft` with the operator's key, post it, and return the parsed answer."""
        ...


class Access(Protocol):
    """The only way to a dataset's key: it is recorded first."""

    def known(self) -> list[Sealed]:
        """Return the newest epoch of every recorded dataset; uses no key."""
        ...

    def request(self, name: DatasetName, code: str, epoch: int | None = None) -> Sealed:
        """Return which seal may be read: of the newest epoch, or of the one that is named.

        It is returned once `dataset.opened` stands under a published checkpoint.

        Raises:
            NotFound: no such dataset is recorded.
            Refused: a policy says no.
            Unavailable: it could not be recorded; nothing may be read then.
        """
        ...


class Datasets(Protocol):
    """What the control plane remembers of each sealed dataset."""

    def by_name(self, tenant: Tenant, name: DatasetName) -> Sealed | None:
        """Return the newest epoch of the dataset with this name."""
        ...

    def by_id(self, tenant: Tenant, dataset: DatasetId) -> Sealed | None:
        """Return the newest epoch of this dataset."""
        ...

    def all(self, tenant: Tenant) -> list[Sealed]:
        """Return the newest epoch of every dataset, by name."""
        ...

    def epochs(self, tenant: Tenant, dataset: DatasetId | None = None) -> list[Sealed]:
        """Return every epoch of a dataset, or of all, by name and number."""
        ...

    def epoch(self, tenant: Tenant, dataset: DatasetId, number: int) -> Sealed | None:
        """Return one epoch."""
        ...

    def envelope(self, tenant: Tenant, sealed: Sealed) -> Digest:
        """Return the digest of the statement that sealed an epoch."""
        ...

    def erase(self, tenant: Tenant, sealed: Sealed, requested: Digest) -> None:
        """Write that an epoch is being erased; raise `Conflict` where it is already."""
        ...

    def erased(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Write which statement says that it is done."""
        ...

    def put(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Add an epoch, and the dataset with its first; raise `Conflict` where it exists, also in another tenant."""
        ...


class Holds(Protocol):
    """Legal holds, as an erasure has to respect them."""

    def check(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Return where no hold covers what `envelope` sealed; raise `Refused` with the hold's name."""
        ...


class NoHolds:
    """An installation without a register of holds: nothing is held."""

    def check(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Return."""


class Wrappings(Protocol):
    """Where wrapped keys of one home lie."""

    def destroy(self, sealed: Sealed) -> Sequence[Destroyed]:
        """Overwrite and remove every wrapping of an epoch's key; called again, finish and return the same."""
        ...

    def forget(self, sealed: Sealed) -> None:
        """Forget what was destroyed: it is stated."""
        ...


class Said(Protocol):
    """What the log holds of a tenant."""

    def of(self, tenant: Tenant, predicates: Collection[PredicateName]) -> Sequence[Envelope]:
        """Return statements of some types, in log order."""
        ...


class NothingSaid:
    """A log that nobody can ask."""

    def of(self, tenant: Tenant, predicates: Collection[PredicateName]) -> Sequence[Envelope]:
        """Return nothing."""
        del tenant, predicates
        return ()
