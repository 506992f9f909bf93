"""The folder of a witness: its keys, and the newest head of each log. Needs no home of Ringfence.

witness.key        both private keys     name          the witness's name, as cosignatures carry it
heads/<sha256>     newest head of a log  lock          held while a process runs the witness
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable, UsageError
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import checkpoint, note
from ringfence.ledger.anchors.cosignature import parse_key
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import MAX_NOTE, SignatureType, VerifierKey
from ringfence.ledger.witness.model import Accepted
from ringfence.ledger.witness.ports import Key
from ringfence.storage import keyfile
from ringfence.storage.files import PRIVATE, explained, read_bounded, write_whole

ED25519, ML_DSA_44 = "ed25519", "ml-dsa-44"


class WallClock:
    """The clock of the machine that the witness runs on."""

    def now(self) -> datetime:
        """Return the current instant in UTC, to the second: cosignatures hold no more."""
        return datetime.fromtimestamp(time.time_ns() // 1_000_000_000, tz=UTC)


@dataclass(frozen=True, slots=True)
class HeadFiles:
    """The newest head of each log, one file each."""

    folder: Path
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Let nobody else read or keep a head while the block runs; other processes are kept out by the lock."""
        with self._turn:
            yield

    def latest(self, origin: LogOrigin) -> Checkpoint | None:
        """Return the newest head; None where none of this log was ever cosigned."""
        path = self._path(origin)
        if not self.folder.is_dir():
            raise Unavailable(f"{self.folder} is gone; a witness that has forgotten what it saw cosigns nothing")
        try:
            found = checkpoint.parse_text(note.parse(read_bounded(path, limit=MAX_NOTE)).text)
        except NotFound:
            return None
        except MalformedInput as error:
            raise Unavailable(f"the head in {path} is damaged ({error}); nothing of {origin} is cosigned") from error
        if found.origin != origin:
            raise Unavailable(f"the head in {path} is of another log; nothing of {origin} is cosigned")
        return found

    def keep(self, accepted: Accepted) -> None:
        """Make a head durable, in the place of the one before."""
        write_whole(self._path(accepted.checkpoint.origin), accepted.note.encode(), mode=PRIVATE)

    def _path(self, origin: LogOrigin) -> Path:
        return self.folder / sha256(origin.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class WitnessFolder:
    """Everything that a witness keeps."""

    path: Path

    @property
    def heads(self) -> HeadFiles:
        """Return the heads; all threads of a process are to share one such object, whose lock lets them take turns."""
        return HeadFiles(self.path / "heads")

    def prepare(self, name: str, passphrase: bytes | None) -> tuple[Key, ...]:
        """Return the witness's keys; the first time, make them under `name`.

        Raises:
            UsageError: the folder is that of a witness with another name, or there is none and no name is given.
        """
        known = self.path / "name"
        if not known.exists():
            self._make(name, passphrase)
        kept = read_bounded(known, limit=4096).decode("utf-8", "replace").strip()
        if name and name != kept:
            raise UsageError(f"{self.path} is the folder of the witness {kept}; name another folder")
        held = keyfile.load(self.path / "witness.key", passphrase)
        return _keys(kept, held.secret(ED25519), held.secret(ML_DSA_44))

    def _make(self, name: str, passphrase: bytes | None) -> None:
        if not name:
            raise UsageError("give the witness a name that will never change: --name witness.example/w1")
        _keys(name, bytes(32), bytes(32))  # a name that cannot name a key is refused before anything is written
        if self.path.exists() and any(item.name != "lock" for item in self.path.iterdir()):
            raise UsageError(f"{self.path} is not empty and not the folder of a witness; name another folder")
        with explained(self.path, "create"):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.path / "heads").mkdir(mode=0o700)
        fresh = {ED25519: secrets.token_bytes(32), ML_DSA_44: secrets.token_bytes(32)}
        keyfile.create(self.path / "witness.key", fresh, passphrase)
        write_whole(self.path / "name", f"{name}\n".encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder: two processes that cosign from one folder would each forget what the other saw."""
        with explained(self.path, "create"):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable(f"a witness runs from {self.path} already; stop it first") from None
            yield
        finally:
            os.close(descriptor)  # closing releases the lock, also when the process is killed


def _keys(name: str, ed25519_seed: bytes, mldsa_seed: bytes) -> tuple[Key, ...]:
    ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
    mldsa = MLDSA44PrivateKey.from_seed_bytes(mldsa_seed)
    first = VerifierKey(name, SignatureType.ED25519_COSIGNATURE, ed25519.public_key().public_bytes_raw())
    second = VerifierKey(name, SignatureType.ML_DSA_44, mldsa.public_key().public_bytes_raw())
    parse_key(str(first))
    return Key(first, ed25519.sign), Key(second, mldsa.sign)
