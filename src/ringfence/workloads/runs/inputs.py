"""Sealed datasets as inputs: an opening is recorded before its key is used, a chunk verified before it is passed on."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from ringfence.artifacts.model import DamagedSeal, Failure, FileEntry, Sealed
from ringfence.artifacts.opening import OpenDataset, extract, open_dataset
from ringfence.artifacts.ports import Access, Folder, Keyring, Sink, Vaults
from ringfence.kernel.errors import Conflict, NotFound, Unavailable
from ringfence.workloads.runs.model import Input, Order

PURPOSE = "run"  # the code under which an opening is recorded


@dataclass(frozen=True, slots=True)
class Sources:
    """Where inputs come from."""

    access: Access
    vaults: Vaults
    keyring: Callable[[], Keyring]


@dataclass(frozen=True, slots=True)
class Opened:
    """One dataset whose opening is recorded, and whose key is at hand."""

    sealed: Sealed
    content: OpenDataset

    @property
    def input(self) -> Input:
        """Return how the run names it."""
        seal, known = self.content.checked.seal, self.sealed
        return Input(known.dataset, known.name, known.epoch, known.seal, seal.ciphertext_root, seal.plaintext_root)


@dataclass(frozen=True, slots=True)
class Below:
    """A part of a folder that is being filled."""

    folder: Folder
    name: str

    def create(self, name: str) -> AbstractContextManager[Sink]:
        """Create a file."""
        return self.folder.create(f"{self.name}/{name}")


def open_all(sources: Sources, order: Order, stack: ExitStack) -> tuple[Opened, ...]:
    """Record the opening of each dataset, then open it until `stack` ends; nothing is recorded where one is unknown."""
    if not order.datasets:
        return ()
    newest = {sealed.name: sealed.epoch for sealed in sources.access.known()}
    for name, epoch in order.datasets:
        if name not in newest:
            raise NotFound(f"no dataset {name} is recorded in this tenant; see `ringfence dataset list`")
        if epoch not in {None, newest[name]}:
            raise Conflict(f"the newest epoch of {name} is {newest[name]}; epoch {epoch} is not opened any more")
    keyring = sources.keyring()
    found = []
    for name, _ in order.datasets:
        sealed = sources.access.request(name, PURPOSE)
        vault = stack.enter_context(sources.vaults.vault(sealed.dataset, sealed.epoch))
        found.append(Opened(sealed, stack.enter_context(open_dataset(vault, sealed.seal, sealed.epoch, keyring))))
    return tuple(found)


def write(opened: tuple[Opened, ...], folder: Folder) -> None:
    """Write every file of every dataset into a place in memory."""
    for dataset in opened:
        try:
            extract(dataset.content, Below(folder, dataset.sealed.name))
        except Unavailable as error:
            raise Unavailable(f"{dataset.sealed.name} does not fit into memory, or cannot be read: {error}") from error


def streams(opened: tuple[Opened, ...]) -> Iterator[tuple[str, int, bool, Iterator[bytes]]]:
    """Give every file of every dataset as a member of a stream."""
    for dataset in opened:
        for entry in dataset.content.manifest.files:
            yield f"inputs/{dataset.sealed.name}/{entry.path}", entry.size, False, _pieces(dataset.content, entry)


def _pieces(dataset: OpenDataset, entry: FileEntry) -> Iterator[bytes]:
    """Give verified chunks; the last only once the whole file has its digest."""
    state, held = hashlib.sha256(), b""
    with dataset.reader(entry.path) as reader:
        for chunk in reader.chunks():
            if held:
                yield held
            state.update(chunk)
            held = bytes(chunk)
    if state.digest() != entry.digest.value:
        raise DamagedSeal(Failure(entry.object, "the file does not have the digest in the manifest", entry.path))
    if held:
        yield held
