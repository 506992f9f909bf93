"""The gateway's folder, and what lies in it: snapshot, credentials, access records; and marks on reserved disk.

Where we are root the folder belongs to a user that belongs to nobody, and so does everything in it. Whoever took over
the gateway can do there what it likes: nothing is followed, and nothing that exists is opened for writing.
"""

import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ringfence.gateway import snapshot
from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import Snapshot, api_key_id
from ringfence.gateway.ports import Mark
from ringfence.gateway.usage import Usage
from ringfence.kernel import digest, identifier
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.storage.files import PRIVATE, explained, opened_below, read_below, sync_directory
from ringfence.storage.users import can_be_given

USERS = range(90_000, 100_000)  # given to nobody by Debian, systemd or subordinate ranges, nor by us to nodes
SNAPSHOT, CONTROL_KEY, ORIGIN, ACCESS = "snapshot.json", "control.pub", "origin.json", "access.log"
FOLDERS = ("credentials", "tunnels", "proofs")
LATEST = 4 * 2**20  # bytes of access records that are counted when we start


@dataclass(frozen=True, slots=True)
class GatewayFolder:
    """`<home>/gateway`."""

    path: Path

    def make(self) -> int | None:
        """Make the folder and what it holds from the start; return the user it is for, where that is not ours."""
        with explained(self.path, "make"):
            self.path.mkdir(mode=0o700, exist_ok=True)
            user = self.user()
            with opened_below(self.path) as folder:
                _own(folder, user)
                for name in FOLDERS:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=folder)
                self._hand_over(user)
        return user

    def user(self) -> int | None:
        """Return the user for whom the folder is, where we can give it to one."""
        if not can_be_given(USERS):
            return None
        owner = self.path.stat(follow_symlinks=False).st_uid
        chosen = USERS.start + int.from_bytes(sha256(os.fsencode(self.path.absolute())).digest()[:4], "big") % len(
            USERS
        )
        return owner if owner in USERS else chosen

    def put(self, name: str, data: bytes) -> None:
        """Write a file below the folder whole, readable by the gateway's user and by nobody else."""
        *within, last = name.split("/")
        temporary = f".{last}.{secrets.token_hex(8)}"
        with explained(self.path / name, "write"), opened_below(self.path, *within) as folder:
            made = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE, dir_fd=folder)
            try:
                with os.fdopen(made, "wb") as file:
                    _own(file.fileno(), os.fstat(folder).st_uid if os.geteuid() == 0 else None)
                    file.write(data)
                os.rename(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def read(self, name: str, limit: int) -> bytes:
        """Read a regular file below the folder, following nothing."""
        return read_below(self.path, self.path / name, limit=limit)

    def remove(self, name: str) -> None:
        """Remove a file below the folder."""
        *within, last = name.split("/")
        with (
            explained(self.path / name, "remove"),
            suppress(FileNotFoundError),
            opened_below(self.path, *within) as folder,
        ):
            os.unlink(last, dir_fd=folder)

    def _hand_over(self, user: int | None) -> None:
        """Give everything in the folder to its user: a home may have been served by another user before."""
        if user is None:
            return
        for _root, folders, files, descriptor in os.fwalk(self.path, follow_symlinks=False):
            for name in (*folders, *files):
                _give(name, descriptor, user)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the gateway's process must find in its folder before it starts."""

    folder: GatewayFolder
    public_key: bytes
    log: LogOrigin
    demo_tenants: AbstractSet[Tenant]

    def prepare(self) -> int | None:
        """Make the folder, and say whose snapshots and which log count; return the user it is for, if not ours."""
        user = self.folder.make()
        self.folder.put(CONTROL_KEY, self.public_key.hex().encode() + b"\n")
        origin = {"log": self.log, "demoTenants": sorted(self.demo_tenants)}
        self.folder.put(ORIGIN, digest.dumps(origin) + b"\n")
        return user


@dataclass(frozen=True, slots=True)
class SignedSnapshots:
    """`SnapshotFile` in the gateway's folder."""

    folder: GatewayFolder
    lock: Path  # outside the folder: the gateway must not be able to keep us waiting
    sign: snapshot.Sign
    public_key: bytes

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads and processes out."""
        with explained(self.lock, "open"):
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def last(self) -> Snapshot | None:
        """Return what was written last; None where there is nothing of ours."""
        try:
            return snapshot.parse(self.folder.read(SNAPSHOT, snapshot.MAX_SNAPSHOT), self.public_key)
        except RingfenceError:
            return None

    def write(self, made: Snapshot) -> None:
        """Sign a snapshot and put it in the place of the last one."""
        if not self.folder.path.is_dir():
            self.folder.make()
        self.folder.put(SNAPSHOT, snapshot.to_bytes(made, self.sign, self.public_key))


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """`Credentials` in the gateway's folder."""

    folder: GatewayFolder

    def keep(self, secret: str) -> str:
        """Keep a secret; return its name below the folder."""
        if not 1 <= len(secret) <= 4096 or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise MalformedInput("an engine's key is one word of at most 4096 printable ASCII characters")
        self.folder.make()
        name = f"credentials/c-{secrets.token_hex(6)}"
        self.folder.put(name, secret.encode())
        return name

    def forget(self, name: str) -> None:
        """Remove a secret."""
        self.folder.remove(name)


@dataclass(frozen=True, slots=True)
class MarkFile:
    """`Marks` as a file of fixed-size lines, allocated beforehand so that a full disk cannot stop it."""

    path: Path
    capacity: int = 1024  # keys that are cut off while the database is away

    LINE = 128

    def create(self) -> None:
        """Allocate the file, unless it is there."""
        with explained(self.path, "create"), suppress(FileExistsError):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
            try:
                os.posix_fallocate(descriptor, 0, self.LINE * self.capacity)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_directory(self.path.parent)

    def add(self, mark: Mark) -> None:
        """Write a mark durably; one that is there already changes nothing."""
        with self._locked() as descriptor:
            held = self._lines(descriptor)
            if mark not in held.values():
                self._write(
                    descriptor, self._free(held), f"{mark.tenant} {mark.key} {mark.state} {_word(mark.finding)}"
                )

    def drop(self, mark: Mark) -> None:
        """Forget a mark."""
        with self._locked() as descriptor:
            for place, held in self._lines(descriptor).items():
                if (held.tenant, held.key, held.state) == (mark.tenant, mark.key, mark.state):
                    self._write(descriptor, place, "")

    def all(self) -> Sequence[Mark]:
        """Return every mark."""
        with self._locked() as descriptor:
            return list(self._lines(descriptor).values())

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.create()
        with explained(self.path, "open"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
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

    def _free(self, held: dict[int, Mark]) -> int:
        place = next((place for place in range(self.capacity) if place not in held), None)
        if place is None:
            raise Unavailable(f"{self.path} holds {self.capacity} keys and takes no more; make the database available")
        return place

    def _lines(self, descriptor: int) -> dict[int, Mark]:
        data = os.pread(descriptor, self.LINE * self.capacity, 0)
        found = {}
        for place in range(len(data) // self.LINE):
            line = data[place * self.LINE : (place + 1) * self.LINE]
            words = line.decode("ascii", "replace").strip("\0 \n").split()
            with suppress(MalformedInput, ValueError):
                tenant, key, state, finding = words
                name = "" if finding == "-" else finding
                found[place] = Mark(identifier.tenant(tenant), api_key_id(key), KeyState(state), name)
        return found


def _word(text: str) -> str:
    """Return a bounded word: what is too long or has blanks must not push the mark itself out of its line."""
    return "".join(c for c in text if c.isascii() and c.isprintable() and c != " ")[:48] or "-"


@dataclass(slots=True)
class AccessCounts:
    """Counts over the access records as the gateway writes them; each is read once."""

    path: Path
    _usage: Usage = field(default_factory=Usage)
    _inode: int = 0
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Usage:
        """Count what was written since, and return everything that was counted."""
        with self._lock, suppress(OSError):
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                self._follow(descriptor)
                file.seek(self._position)
                data = file.read(LATEST + 1)
                whole = data[: data.rfind(b"\n") + 1]
                self._position += len(whole)
                self._usage.add(whole.splitlines())
        return self._usage

    def _follow(self, descriptor: int) -> None:
        """Begin where we left off; in a file that we do not know, with what was written last."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError
        if found.st_ino != self._inode or found.st_size < self._position:
            first = self._inode == 0
            self._inode, self._position = found.st_ino, 0
            if first and found.st_size > LATEST:
                self._position = found.st_size - LATEST


def _own(descriptor: int, user: int | None) -> None:
    if user is not None:
        os.fchown(descriptor, user, user)


def _give(name: str, folder: int, user: int) -> None:
    """Give a file to a user, unless it has another name: that one may lie where nothing is the user's."""
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
            os.chown(f"/proc/self/fd/{descriptor}", user, user)  # what was looked at, and nothing put in its place
    finally:
        os.close(descriptor)
