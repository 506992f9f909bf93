"""Everything that sealed datasets need from the outside world."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft

Random = Callable[[int], bytes]


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


class Vaults(Protocol):
    """The sealed datasets that lie on this machine."""

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

    def request(self, name: DatasetName, code: str) -> Sealed:
        """Return which seal may be read, once `dataset.opened` stands under a published checkpoint.

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

    def put(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Add an epoch, and the dataset with its first; raise `Conflict` where it exists already."""
        ...
