"""Seal a tree of files so that a seal that was killed goes on where it stopped (docs/specs/sealed-dataset.md, 9).

A finished object is kept where its source file is the one that was sealed and its own bytes still yield the root in the
journal. A large file that was begun is gone on with, where it still holds what was sealed of it (`large`). Everything
else is removed and written anew, under another id, salt and key: nothing is resealed in place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ringfence.artifacts import chunk, tree
from ringfence.artifacts.chunk import HASH_SIZE, TAG_SIZE, Geometry, chunk_hash
from ringfence.artifacts.journal import Journal, Order, by_path, parse_journal, print_finished, print_order
from ringfence.artifacts.large import Binding, LargeSealer
from ringfence.artifacts.model import (
    KEY_SIZE,
    SALT_SIZE,
    DatasetName,
    Finished,
    NewSeal,
    Record,
    Seal,
    Task,
    Wrapping,
)
from ringfence.artifacts.ports import Crew, Keyring, Moved, NamedTree, Random, Source, Work, Workplace
from ringfence.artifacts.seal import KEY_FILE, KeyFile, print_key_file, print_seal, read_key_file
from ringfence.artifacts.sealing import ObjectSealer, bounded, conclude, write
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError, VerificationFailed


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do: how many files, how many bytes, and how many of each an earlier seal may have done."""

    files: int
    size: int
    finished: int
    begun: int = 0  # large files inside of which an earlier seal may go on
    dropped: tuple[str, ...] = ()  # why unfinished seals were removed


def order_of(work: Work, keyring: Keyring) -> Order:
    """Return what an unfinished seal is about; raise `RingfenceError` where its key cannot be had."""
    key, journal = _resumed(work, keyring)
    key[:] = bytes(len(key))
    return journal.order


def seal_files(
    name: DatasetName,
    files: NamedTree,
    work: Work,
    new: NewSeal,
    keyring: Keyring,
    random: Random,
    crew: Crew,
    planned: Callable[[Plan], Moved],
) -> Seal:
    """Write a whole sealed dataset into `work`, or what is missing of it, and return its seal.

    Raises:
        Conflict: a file changed while it was read.
        UsageError: nothing to seal, too much, or a name that cannot be sealed.
        Unavailable: the disk is full, or a worker ended; what was finished is kept.
    """
    if work.journal:
        key, journal = _resumed(work, keyring)
    else:
        key, journal = _begun(Order(name, new.dataset, new.epoch, new.chunk_size), work, keyring, random)
    try:
        tasks = _tasks(files, by_path(journal.finished))
        names = Binding(key, new).name
        begun = work.keep(
            [one.record.object for one in journal.finished],
            journal.size,
            lambda: {names(task.path) for task in tasks if task.size >= new.large},
        )
        kept = [task.kept.record.object for task in tasks if task.kept]
        progress = planned(Plan(len(tasks), sum(task.size for task in tasks), len(kept), begun))
        for gone in {one.record.object for one in journal.finished} - set(kept):
            work.remove(gone)
        done: list[Finished] = []
        for task, finished in crew(files, work, new, key, tasks, progress):
            if finished != task.kept:
                work.note(print_finished(key, finished, random(SALT_SIZE)))
            done.append(finished)
        work.drop_begun()
        seal = conclude(ObjectSealer(work, new, key, random), [one.sealed for one in done])
        write(work, "seal.json", print_seal(seal))
        return seal
    finally:
        key[:] = bytes(len(key))


def _begun(order: Order, work: Work, keyring: Keyring, random: Random) -> tuple[bytearray, Journal]:
    """Draw the key and write it wrapped, before anything is sealed under it."""
    key = bytearray(random(KEY_SIZE))
    write(work, KEY_FILE, print_key_file(order, [Wrapping(keyring.kek, keyring.wrap(key))]))
    line = print_order(key, order, random(SALT_SIZE))
    work.note(line)
    return key, Journal(order, (), len(line))


def _resumed(work: Work, keyring: Keyring) -> tuple[bytearray, Journal]:
    try:
        found, noted = read_key_file(work.key_file), work.journal
    except UsageError as error:  # a link, or too long
        raise MalformedInput(str(error)) from error
    wrapped = found.by(keyring.kek)
    if wrapped is None:
        raise VerificationFailed("another key-encryption key wraps its key")
    key = keyring.unwrap(wrapped)
    try:
        return key, _fitting(parse_journal(noted, key), found)
    except BaseException:
        key[:] = bytes(len(key))
        raise


def _fitting(journal: Journal, key_file: KeyFile) -> Journal:
    """Return a journal if the key file, which nothing authenticates, is of the same dataset and epoch."""
    if (journal.order.dataset, journal.order.epoch) != (key_file.dataset, key_file.epoch):
        raise VerificationFailed("its key file speaks of another dataset than its journal")
    return journal


def _tasks(files: NamedTree, finished: dict[str, Finished]) -> list[Task]:
    tasks = []
    for count, (path, identity) in enumerate(files.listed()):
        known = finished.get(bounded(count, path))
        tasks.append(Task(path, identity.size, known if known and known.identity == identity else None))
    return tasks


class FileSealer:
    """Does one task after the other; each worker has one."""

    def __init__(
        self, files: NamedTree, place: Workplace, new: NewSeal, key: bytearray, random: Random, moved: Moved
    ) -> None:
        self._files, self._place, self._new, self._moved = files, place, new, moved
        self._sealer = ObjectSealer(place, new, key, random, moved)
        self._large = LargeSealer(place, self._sealer)

    def do(self, task: Task) -> Finished:
        """Keep what is there and right, or seal the file anew; it is opened once."""
        with self._files.open(task.path) as source:
            identity = self._files.identity(source)
            if task.kept and task.kept.identity == identity and self._is_whole(task.kept.record):
                return task.kept
            if task.kept:
                self._place.remove(task.kept.record.object)
            sealer = self._large if source.size >= self._new.large else self._sealer
            sealed = sealer.file(task.path, source)
        return Finished(sealed.entry, sealed.record, identity)

    def _is_whole(self, record: Record) -> bool:
        """Read a finished object again, without its key, against the root that the journal holds."""
        try:
            with self._place.open(f"objects/{record.object}") as source:
                return self._reads_as(source, record)
        except (NotFound, UsageError):
            return False

    def _reads_as(self, source: Source, record: Record) -> bool:
        geometry = Geometry(self._new.chunk_size, record.length)
        header = bytearray(chunk.HEADER_SIZE)
        source.read_into(memoryview(header), 0)
        if source.size != geometry.file_size or Digest.of(bytes(header)) != record.header:
            return False
        hashes = b""
        if geometry.chunks > 1:
            hashes = self._place.read(f"chunks/{record.object}", HASH_SIZE * geometry.chunks)
            if len(hashes) != HASH_SIZE * geometry.chunks:
                return False
        return tree.head(self._hashes(source, geometry, hashes)) == record.chunk_root

    def _hashes(self, source: Source, geometry: Geometry, listed: bytes) -> Iterator[bytes]:
        """Give the hash of each chunk; one that the file of hashes does not list spoils the root."""
        for number in range(geometry.chunks):
            size = geometry.plain_size(number)
            sealed = self._sealer.sealed[: size + TAG_SIZE]
            source.read_into(sealed, geometry.offset(number))
            found = chunk_hash(sealed)
            right = not listed or listed[number * HASH_SIZE : (number + 1) * HASH_SIZE] == found
            self._moved(size)
            yield found if right else bytes(HASH_SIZE)


def alone(random: Random) -> Crew:
    """Return the crew that seals in this process, one file after the other."""

    def crew(
        files: NamedTree, work: Work, new: NewSeal, key: bytearray, tasks: Sequence[Task], moved: Moved
    ) -> Iterator[tuple[Task, Finished]]:
        sealer = FileSealer(files, work, new, key, random, moved)
        for task in tasks:
            yield task, sealer.do(task)

    return crew


def resumed(work: Work, wanted: NewSeal) -> NewSeal:
    """Return what is being sealed: the dataset's id is in the unfinished seal's key file where there is one."""
    return replace(wanted, dataset=read_key_file(work.key_file).dataset) if work.journal else wanted


def is_of(work: Work, keyring: Keyring, order: Order, dropped: Callable[[str], object] = str) -> bool | None:
    """Tell whether an unfinished seal is this one; None, and why, where nobody can go on with it any more."""
    try:
        found = order_of(work, keyring)
    except (MalformedInput, VerificationFailed) as error:
        dropped(str(error))
        return None
    if found.name != order.name:
        return False
    if _same(found, order):
        return True
    dropped(f"it was to be epoch {found.epoch} of {found.name}, in chunks of {found.chunk_size} bytes")
    return None


def _same(found: Order, order: Order) -> bool:
    known = order.epoch == 1 or found.dataset == order.dataset
    return known and (found.epoch, found.chunk_size) == (order.epoch, order.chunk_size)
