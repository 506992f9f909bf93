"""Bring the bytes of a model into quarantine: from a file, a folder, or a server that the tenant's file names.

The digest is demanded before the first byte. From a server every byte is counted against the limit while it comes; no
redirect leads to a server that is not named; no proxy, no compression, no name from the server becomes a name here.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote, urljoin, urlsplit

import httpx

from ringfence.artifacts.blobs import translated
from ringfence.artifacts.models import oms
from ringfence.artifacts.models.blobs import hash_of, looked_at
from ringfence.artifacts.models.model import SIGNATURE
from ringfence.artifacts.models.names import check_name, check_names
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.storage.files import PRIVATE
from ringfence.workloads.gatefile import IntakeRules, origin_of
from ringfence.workloads.intake.model import Source
from ringfence.workloads.intake.quarantine import Place

PART = ".part"
PIECE = 2**20
MAX_LIST = 2**20  # bytes of a list of files
MOST_REDIRECTS = 5
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_OWN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_BELOW = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched: files by name, each with its digest where that is known before."""

    source: Source
    address: str
    files: Mapping[str, Digest] = field(default_factory=dict)


def wanted(address: str, expected: Digest, listed: bytes | None) -> Wanted:
    """Return what an address means; a list of files (as sha256sum prints it) is for servers.

    Raises:
        VerificationFailed: the list is not the one that the digest names.
    """
    if not address.startswith(("http://", "https://")):
        if listed is not None:
            raise UsageError("a list of files is for models that come from a server")
        source = Source.FOLDER if Path(address).is_dir() else Source.FILE
        return Wanted(source, address)
    if listed is None:
        name = urlsplit(address).path.rpartition("/")[2]
        check_name(name)
        return Wanted(Source.HTTP, address, {name: expected})
    files = parse_list(listed)
    if oms.manifest_of("", files).digest != expected:
        raise VerificationFailed("the list of files is not the one that --digest names")
    return Wanted(Source.HTTP, address if address.endswith("/") else f"{address}/", files)


def parse_list(data: bytes) -> dict[str, Digest]:
    """Parse lines of `<64 hexadecimal digits>  <name>`; every name is one that a signed model may hold."""
    if len(data) > MAX_LIST:
        raise MalformedInput(f"a list of files has at most {MAX_LIST} bytes")
    found: dict[str, Digest] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        digits, gap, name = line.partition("  ")
        if not gap or name in found:
            raise MalformedInput("each line has a digest, two spaces and a name, each name once", line=number)
        check_name(name)
        found[name] = Digest.parse(digits)
    check_names(sorted(found))
    if partial := [name for name in found if name.endswith(PART)]:
        raise MalformedInput(f"{partial[0]!r} has the name of what is on its way; it is no file of a model")
    if not found or SIGNATURE in found:
        raise MalformedInput(f"a list names at least one file, and no {SIGNATURE}: signing comes after the decision")
    return found


def fetch(place: Place, asked: Wanted, expected: Digest, rules: IntakeRules, http: httpx.Client | None = None) -> None:
    """Bring the bytes in; what was begun goes on. Afterwards the folder holds what the digest names.

    Raises:
        Refused: the server is not one that the tenant's file names, or the files are larger than it allows.
        VerificationFailed: the bytes are not those that were demanded; they are removed.
    """
    if asked.source is Source.HTTP:
        _check_origin(asked.address, rules)
        with http or httpx.Client(trust_env=False, timeout=TIMEOUT, headers={"accept-encoding": "identity"}) as client:
            _Fetching(client, place.files, rules).all(asked)
    else:
        _copy(Path(asked.address), place.files, rules.largest)
    check(place, expected)


def check(place: Place, expected: Digest) -> None:
    """Raise `VerificationFailed` unless the folder holds what the digest names: its manifest, or its one file."""
    with place.opened() as folder:
        hashed = folder.hashed()
    digests = {name: one.digest for name, one in hashed.items()}
    manifest = oms.manifest_of("", digests).digest
    if expected != manifest and expected not in (digests.values() if len(digests) == 1 else ()):
        raise VerificationFailed(f"the files have the digest {manifest}, and not the one that was demanded")


def _copy(source: Path, target: Path, largest: int) -> None:
    """Copy a folder's files, or one file; what is there already with the same bytes stays."""
    with looked_at(source) as (names, opening):
        if SIGNATURE in names:
            raise UsageError(f"{source} holds a {SIGNATURE}; `ringfence model import` takes models that are signed")
        left = largest
        for name in names:
            with opening(name) as content:
                left -= content.size
                if left < 0:
                    raise Refused(f"the files are larger than this tenant's {largest} bytes")
                with _Landing(target, name) as landing:
                    landing.start_over()
                    for part in content.chunks():
                        landing.write(part)
                    if not content.unchanged():
                        raise VerificationFailed(f"{name!r} was changed while it was read")
                    landing.keep()


def _check_origin(url: str, rules: IntakeRules) -> None:
    origin = origin_of(url)
    if origin not in rules.origins:
        raise Refused(f"this tenant's file names no origin {origin}; whoever keeps it adds it under intake.origins")


@dataclass(slots=True)
class _Fetching:
    """One session with a server."""

    client: httpx.Client
    folder: Path
    rules: IntakeRules
    total: int = 0

    def all(self, asked: Wanted) -> None:
        """Fetch every file that is not there yet."""
        single = not asked.address.endswith("/")
        for name, expected in asked.files.items():
            url = asked.address if single else urljoin(asked.address, quote(name))
            done = self.folder / name
            if done.is_file() and not done.is_symlink() and _digest_of(done) == expected:
                self._count(done.stat().st_size)
                continue
            with _Landing(self.folder, name) as landing:
                self._one(url, landing)
                landing.check(expected)
                landing.keep()

    def _one(self, url: str, landing: "_Landing") -> None:
        begun = landing.size
        self._count(begun)
        with self._answer(url, begun) as answer:
            if begun and answer.status_code == httpx.codes.PARTIAL_CONTENT:
                _check_range(answer, begun)
            elif answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and begun:
                return  # it is all there; its digest is compared next
            elif answer.status_code == httpx.codes.OK:
                self.total -= begun
                landing.start_over()
            else:
                raise Unavailable(f"{_shown(url)} answered {answer.status_code}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise Unavailable(f"{_shown(url)} answered with compressed bytes that nobody asked for")
            for part in answer.iter_raw(PIECE):
                self._count(len(part))
                landing.write(part)

    def _count(self, size: int) -> None:
        self.total += size
        if self.total > self.rules.largest:
            raise Refused(f"the files are larger than this tenant's {self.rules.largest} bytes")

    @contextmanager
    def _answer(self, url: str, begun: int) -> Iterator[httpx.Response]:
        """Ask, and follow redirects to origins that are named, and nowhere else."""
        headers = {"range": f"bytes={begun}-"} if begun else {}
        for _ in range(MOST_REDIRECTS + 1):
            _check_origin(url, self.rules)
            request = self.client.build_request("GET", url, headers=headers)
            try:
                answer = self.client.send(request, stream=True, follow_redirects=False)
            except httpx.HTTPError as error:
                raise Unavailable(f"{_shown(url)} cannot be reached: {str(error) or type(error).__name__}") from error
            if answer.is_redirect:
                url = urljoin(url, answer.headers.get("location", ""))
                answer.close()
                continue
            try:
                yield answer
            except httpx.HTTPError as error:
                raise Unavailable(
                    f"{_shown(url)} broke off: {str(error) or type(error).__name__}; run it again to go on"
                ) from error
            finally:
                answer.close()
            return
        raise Unavailable(f"{_shown(url)} redirects without end")


def _check_range(answer: httpx.Response, begun: int) -> None:
    if not answer.headers.get("content-range", "").startswith(f"bytes {begun}-"):
        raise Unavailable("the server answered with another range than was asked for; run it again")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


class _Landing:
    """A file of a model on its way into the folder, through folders that are opened one part at a time."""

    def __init__(self, root: Path, name: str) -> None:
        check_name(name)
        self.root, self.name = root, name
        self._hasher = hashlib.sha256()
        self.size = 0
        self._folder = -1
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "_Landing":
        with translated(self.name):
            self._folder = self._parent()
            part = self._last + PART
            held = os.open(part, _OWN, PRIVATE, dir_fd=self._folder)
            status = os.fstat(held)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                os.close(held)
                raise UsageError(f"{self.name!r} is no file of its own in the quarantine")
            os.fchmod(held, PRIVATE)
            self._file = os.fdopen(held, "r+b")
            while piece := self._file.read(PIECE):  # what a fetch that was killed left
                self._hasher.update(piece)
                self.size += len(piece)
        return self

    def _parent(self) -> int:
        current = os.open(self.root, _BELOW)
        for part in self.name.split("/")[:-1]:
            try:
                if not _exists(part, current):
                    os.mkdir(part, 0o700, dir_fd=current)
                following = os.open(part, _BELOW, dir_fd=current)
            finally:
                os.close(current)
            current = following
        return current

    @property
    def _last(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise Unavailable(f"{self.name!r} is not open")
        return self._file

    def start_over(self) -> None:
        """Forget what was there."""
        self._open.seek(0)
        self._open.truncate()
        self._hasher, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Append."""
        with translated(self.name):
            self._open.write(data)
        self._hasher.update(data)
        self.size += len(data)

    def check(self, expected: Digest) -> None:
        """Raise `VerificationFailed`, and remove it, where it is not what was demanded."""
        found = Digest(self._hasher.digest())
        if found != expected:
            os.unlink(self._last + PART, dir_fd=self._folder)
            raise VerificationFailed(f"{self.name!r} is {found}, and not what was demanded; it was removed")

    def keep(self) -> None:
        """Flush it, and give it its name."""
        with translated(self.name):
            self._open.flush()
            os.fsync(self._open.fileno())
            os.rename(self._last + PART, self._last, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._folder >= 0:
            os.close(self._folder)


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _digest_of(path: Path) -> Digest:
    with looked_at(path) as (names, opening), opening(names[0]) as content:
        return hash_of(content).digest
