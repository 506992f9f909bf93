"""Read sealed datasets through fsspec: `sealed://NAME/path`, and of an older epoch `sealed://NAME@EPOCH/path`.

Every filesystem object asks for access once per dataset: the opening is recorded and published before the key is
unwrapped. Objects are not shared between callers (`cachable` is off), so that each use is recorded by itself.
"""

import io
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsspec.spec import AbstractFileSystem

from ringfence.artifacts.blobs import Home
from ringfence.artifacts.local import RecordedAccess
from ringfence.artifacts.model import DatasetName, ReadMode, Reference, Sealed, purpose, reference
from ringfence.artifacts.opening import OpenDataset, open_dataset
from ringfence.artifacts.ports import Access, Keyring
from ringfence.artifacts.reader import ObjectReader
from ringfence.kernel.errors import NotFound, Refused, UsageError
from ringfence.settings import Settings

BUFFER = 2**16  # bytes between a reader that asks for little and the chunk that it is in


class ConnectedAccess:
    """The `Access` port through the one client, connected anew for each request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def _access(self) -> Iterator[RecordedAccess]:
        from ringfence.frontends.client import connect

        with connect(self._settings) as client:
            yield RecordedAccess(client)

    def known(self) -> list[Sealed]:
        """Return what is recorded."""
        with self._access() as access:
            return access.known()

    def request(self, name: DatasetName, code: str, epoch: int | None = None) -> Sealed:
        """Record an opening."""
        with self._access() as access:
            return access.request(name, code, epoch)


@dataclass(frozen=True, slots=True)
class Opened:
    """A dataset whose key is at hand, and what each of its folders holds."""

    dataset: OpenDataset
    folders: Mapping[str, Mapping[str, int | None]]  # folder to names; a size for a file, None for a folder


class SealedFile(io.RawIOBase):
    """One file of a sealed dataset, open for reading with seeking."""

    def __init__(self, reader: ObjectReader, stack: ExitStack) -> None:
        super().__init__()
        self._reader, self._stack, self._at = reader, stack, 0

    @property
    def size(self) -> int:
        """Return the length of the plaintext."""
        return self._reader.size

    def readable(self) -> bool:
        """Reading is what it is for."""
        return True

    def seekable(self) -> bool:
        """Every chunk can be read by itself."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; a place before the start is refused, one behind the end reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("seek to before the start of the file, or from an unknown place")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with verified bytes."""
        with memoryview(buffer) as view:
            count = self._reader.read_into(self._at, view.cast("B"))
        self._at += count
        return count

    def readall(self) -> bytes:
        """Return everything from here on."""
        data = self._reader.read_at(self._at, max(0, self.size - self._at))
        self._at += len(data)
        return data

    def close(self) -> None:
        """Overwrite the buffer and close the object."""
        if not self.closed:
            self._stack.close()
        super().close()


class SharedReader(io.BufferedReader):
    """A buffered file where a `seek` holds for the next read of the same thread, whoever else seeks in between.

    DuckDB (2.0) gives one file to several threads, each of which seeks and then reads without a lock between the two
    calls: with a plain file one thread reads where another one went, which shows as a broken table or not at all.
    As long as only one thread seeks, this is a plain `BufferedReader`.
    """

    def __init__(self, raw: io.RawIOBase, buffer_size: int) -> None:
        super().__init__(raw, buffer_size)
        self._lock, self._seeker, self._places = threading.Lock(), 0, dict[int, int]()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, for this thread's next read and for every thread that has not moved itself."""
        with self._lock:
            if whence == io.SEEK_CUR:
                self._return_to_own_place()
            at = super().seek(offset, whence)
            self._seeker = threading.get_ident()
            self._places[self._seeker] = at
            return at

    def _return_to_own_place(self) -> None:
        """Go where this thread went last if it has not read since and another one has moved; the lock is held."""
        me = threading.get_ident()
        place = self._places.pop(me, None)
        if place is not None and self._seeker != me:
            super().seek(place)
            self._seeker = me

    def read(self, size: int | None = -1, /) -> bytes:
        """Return verified bytes, fewer than asked for only at the end."""
        with self._lock:
            self._return_to_own_place()
            return super().read(size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one reading gives."""
        with self._lock:
            self._return_to_own_place()
            return super().read1(size)

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with verified bytes."""
        with self._lock:
            self._return_to_own_place()
            return super().readinto(buffer)


class SealedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Sealed datasets, read-only; the first part of a path is the dataset's name."""

    protocol = "sealed"
    root_marker = ""
    cachable = False

    def __init__(
        self,
        home: str | Path | None = None,
        purpose_code: str = "read",
        mode: str = "tag",
        access: Access | None = None,
        keyring: Callable[[], Keyring] | None = None,
        plain_copies: bool = False,  # noqa: FBT001, FBT002 - fsspec passes options by name
        **options: Any,
    ) -> None:
        """Prepare; nothing is opened or recorded yet.

        Args:
            home: home directory; `RINGFENCE_HOME` if not given.
            purpose_code: short code that goes into `dataset.opened`.
            mode: `tag`, or `audit` to check each chunk's hash against the signed tree too.
            access: the port that records; by default the API's client.
            keyring: gives the key-encryption key; by default that of the home directory.
            plain_copies: let `get` and caching layers write plain files.
            options: fsspec's own.
        """
        super().__init__(**options)
        settings = Settings.from_environment()
        self._settings = settings if home is None else replace(settings, home=Path(home).expanduser().absolute())
        self._purpose = purpose(purpose_code)
        if mode not in {known.value for known in ReadMode}:
            raise UsageError(f"mode is tag or audit, not {mode!r}")
        self._mode, self._plain_copies = ReadMode(mode), plain_copies
        self._access = access or ConnectedAccess(self._settings)
        self._keyring = keyring or self._home_keyring
        self._opened: dict[str, Opened] = {}
        self._lock, self._process = threading.Lock(), os.getpid()
        self._stack = ExitStack()
        weakref.finalize(self, self._stack.close)

    def _home_keyring(self) -> Keyring:
        from ringfence.artifacts.keyring import at_home

        return at_home(self._settings.home, self._settings.passphrase())

    def close(self) -> None:
        """Overwrite every dataset key that was unwrapped."""
        self._opened.clear()
        self._stack.close()

    def _dataset(self, name: Reference) -> Opened:
        if self._process != os.getpid():  # a fork: another thread of the parent may have held the lock
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            if str(name) not in self._opened:
                granted = self._access.request(name.name, self._purpose, name.epoch)
                vault = self._stack.enter_context(Home(self._settings.home).vault(granted.dataset, granted.epoch))
                opening = open_dataset(vault, granted.seal, granted.epoch, self._keyring())
                dataset = self._stack.enter_context(opening)
                self._opened[str(name)] = Opened(
                    dataset, _folders({path: file.size for path, file in dataset.files.items()})
                )
            return self._opened[str(name)]

    def _split(self, path: str) -> tuple[Reference, str]:
        name, _, inner = str(self._strip_protocol(path)).strip("/").partition("/")
        return reference(name), inner

    def ls(self, path: str, detail: bool = True, **_options: Any) -> list[Any]:  # noqa: FBT001, FBT002 - fsspec's
        """List a folder; the root lists datasets, which uses no key."""
        if not str(self._strip_protocol(path)).strip("/"):
            found = [_entry(dataset.name) for dataset in self._access.known()]
        else:
            found = self._children(*self._split(path))
        return found if detail else [entry["name"] for entry in found]

    def _children(self, name: Reference, inner: str) -> list[dict[str, Any]]:
        opened = self._dataset(name)
        if inner in opened.dataset.files:
            return [_entry(f"{name}/{inner}", opened.dataset.files[inner].size)]
        below = opened.folders.get(inner)
        if below is None:
            raise FileNotFoundError(f"{name}/{inner}")
        prefix = f"{name}/{inner}/" if inner else f"{name}/"
        return [_entry(f"{prefix}{child}", size) for child, size in below.items()]

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Describe one file or folder."""
        if not str(self._strip_protocol(path)).strip("/"):
            return _entry("")
        name, inner = self._split(path)
        opened = self._dataset(name)
        if inner in opened.dataset.files:
            return _entry(f"{name}/{inner}", opened.dataset.files[inner].size)
        if inner not in opened.folders:
            raise FileNotFoundError(f"{name}/{inner}")
        return _entry(f"{name}/{inner}".rstrip("/"))

    def ukey(self, path: str) -> str:
        """Return what changes when the file does: its object, which is written once."""
        name, inner = self._split(path)
        return self._dataset(name).dataset.files[inner].object

    def modified(self, path: str) -> datetime:
        """Return a time that stands for the seal: sealed files have none, and are never changed in place."""
        name, _ = self._split(path)
        return datetime.fromtimestamp(self._dataset(name).dataset.manifest.epoch, UTC)

    def get_file(self, rpath: str, lpath: Any, **options: Any) -> None:
        """Refuse to write a plain copy, which caching layers do unasked, unless `plain_copies` was given."""
        if not self._plain_copies:
            raise Refused(
                f"a plain copy of {rpath} was asked for, and this file system makes none; read it as a stream, write "
                "it with `ringfence dataset open`, or give plain_copies=True where copies are wanted"
            )
        super().get_file(rpath, lpath, **options)

    def _open(self, path: str, mode: str = "rb", **_options: Any) -> io.BufferedReader:
        if mode != "rb":
            raise UsageError("sealed datasets are read-only; seal a new epoch to change one")
        name, inner = self._split(path)
        stack = ExitStack()
        try:
            reader = stack.enter_context(self._dataset(name).dataset.reader(inner, self._mode))
        except NotFound as error:
            raise FileNotFoundError(f"{name}/{inner}") from error
        return SharedReader(SealedFile(reader, stack), BUFFER)


def _entry(name: str, size: int | None = None) -> dict[str, Any]:
    return {"name": name, "size": size or 0, "type": "directory" if size is None else "file"}


def _folders(files: Mapping[str, int]) -> dict[str, dict[str, int | None]]:
    """Return what each folder holds, in the order of the manifest; the root is called ''."""
    found: dict[str, dict[str, int | None]] = {"": {}}
    for path, size in files.items():
        folder, _, last = path.rpartition("/")
        _made(found, folder)[last] = size
    return found


def _made(found: dict[str, dict[str, int | None]], folder: str) -> dict[str, int | None]:
    if folder not in found:
        found[folder] = {}
        above, _, last = folder.rpartition("/")
        _made(found, above)[last] = None
    return found[folder]
