"""Follow the file of keys and routes: the newest good one counts until it expires, a bad one never."""

import logging
import os
from pathlib import Path

from ringfence.gateway import snapshot
from ringfence.gateway.model import Snapshot
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable

_log = logging.getLogger(__name__)
NAME = "snapshot.json"
KEY_NAME = "control.pub"


def control_key(folder: Path) -> bytes:
    """Read whose signature a snapshot must bear.

    Raises:
        MalformedInput: the file holds no key.
        Unavailable: it cannot be read.
    """
    try:
        text = (folder / KEY_NAME).read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        raise Unavailable(f"{KEY_NAME} cannot be read: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != 32:
        raise MalformedInput(f"{KEY_NAME} holds 64 hexadecimal digits: the control plane's public key")
    return key


class SnapshotFile:
    """The file; it is read in a thread, never by the event loop."""

    def __init__(self, folder: Path, public_key: bytes) -> None:
        self._path = folder / NAME
        self._public_key = public_key
        self._held: Snapshot | None = None
        self._seen: tuple[int, int, int] | None = None
        self._why = "there is no snapshot of keys and routes yet"

    def newest(self) -> Snapshot:
        """Return the newest good snapshot; it may have expired.

        Raises:
            Unavailable: there is none yet.
        """
        try:
            self._look()
        except RingfenceError as error:
            self._complain(str(error))
        except OSError as error:
            self._complain(f"the snapshot of keys and routes cannot be read: {error.strerror}")
        if self._held is None:
            raise Unavailable(self._why)
        return self._held

    def _look(self) -> None:
        facts = self._path.stat()
        seen = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        if seen == self._seen:
            return
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(snapshot.MAX_SNAPSHOT + 1)
        self._seen = seen  # not before it was read: what failed once may succeed
        self._held = snapshot.parse(data, self._public_key, self._held)
        self._why = ""

    def _complain(self, why: str) -> None:
        if why != self._why:
            self._why = why
            _log.error("%s", why)
