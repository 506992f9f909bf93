"""Keep the signer's process running for as long as `up` runs: start it, start it again when it dies, end it with us."""

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ringfence.kernel.errors import InternalError, Unavailable, by_slug
from ringfence.kernel.identifier import LogOrigin
from ringfence.signing.client import RemoteSigner
from ringfence.signing.process import SOCKET
from ringfence.storage.files import explained
from ringfence.storage.users import can_be_given

USERS = range(66_000, 70_000)  # given to nobody by Debian, systemd or subordinate ranges, nor by us to nodes or gateway
READY_WITHIN = 30.0  # seconds: an unlucky neighbour, a cold disk, a slow passphrase
ENDS_WITHIN = 5.0
BACK_OFF = (0.0, 0.2, 1.0, 5.0, 15.0)  # seconds before the next attempt
SETTLED = 60.0  # seconds of life after which an end is no longer taken for a failed start
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Which home's keys are used, and with what environment."""

    home: Path
    log: LogOrigin
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str]:
        """Return how the signer is started."""
        user = user_of(self.home)
        given = [] if user is None else ["--uid", str(user)]
        return [sys.executable, "-I", "-m", "ringfence.signing", str(self.home), "--log", self.log, *given]


def user_of(home: Path) -> int | None:
    """Return the user whom the signer of a home becomes, where we are root and may choose."""
    if not can_be_given(USERS):
        return None
    return USERS.start + int.from_bytes(sha256(os.fsencode(home.absolute())).digest()[:4], "big") % len(USERS)


class Supervisor:
    """Runs one signer."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.starts = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="signer", daemon=True)

    @property
    def pid(self) -> int | None:
        """Return the process that runs now."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Start the signer and wait until it serves; raise what it says where it cannot."""
        self._launch()
        self._thread.start()

    def stop(self) -> None:
        """End the signer."""
        self._stopping.set()
        child = self._child
        if child is not None:
            _end(child)
        if self._thread.is_alive():
            self._thread.join(timeout=ENDS_WITHIN)

    def _watch(self) -> None:
        failures, began = 0, time.monotonic()
        while not self._stopping.is_set():
            if self._child is not None:
                self._child.wait()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > SETTLED else failures
            _log.warning("the signer ended; it is started again, and until then nothing is signed")
            self._stopping.wait(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
            failures, began = failures + 1, time.monotonic()
            try:
                self._launch()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt must still come
                _log.warning("the signer does not run: %s", error)

    def _launch(self) -> None:
        if self._stopping.is_set():
            return
        with explained(Path(sys.executable), "start"):
            child = subprocess.Popen(  # noqa: S603 -- our own module by our own interpreter, no shell
                self.place.command(),
                env=dict(self.place.environment),
                stdin=subprocess.PIPE,  # it ends when we do, however that happens
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us: what is under way may still need a signature
            )
        try:
            _ready(child)
        except BaseException:
            _end(child)
            raise
        if self._child is not None:
            _end(self._child)  # it has ended; its pipes have not
        self._child = child
        self.starts += 1
        if self._stopping.is_set():
            _end(child)


def _ready(child: "subprocess.Popen[bytes]") -> None:
    """Wait for the first line; raise what it says."""
    if child.stdout is None:
        raise InternalError("the signer has no standard output")
    said = b""
    deadline = time.monotonic() + READY_WITHIN
    while b"\n" not in said and len(said) < 2**16:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
            raise Unavailable(f"the signer was not ready within {READY_WITHIN:.0f} s")
        piece = os.read(child.stdout.fileno(), 4096)
        if not piece:
            raise Unavailable("the signer ended without saying why")
        said += piece
    try:
        line = dict(json.loads(said.partition(b"\n")[0]))
    except ValueError as error:
        raise Unavailable("the signer did not say whether it serves") from error
    if "ready" not in line:
        kind = by_slug(str(line.get("kind", "")))
        raise (Unavailable if kind is InternalError else kind)(f"the signer does not start: {line.get('because', '')}")


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


@contextmanager
def running(
    home: Path, log: LogOrigin, environment: Mapping[str, str], *, within: float = 0.0
) -> Iterator[RemoteSigner]:
    """Run the signer of a home while the block runs, and give the port to it; another one has `within` to end."""
    supervisor = Supervisor(Place(home.absolute(), log, environment))
    deadline = time.monotonic() + within
    while True:
        try:
            supervisor.start()
        except Unavailable:
            if time.monotonic() >= deadline:
                raise
        else:
            break
    signer = RemoteSigner(home.absolute() / SOCKET)
    try:
        yield signer
    finally:
        signer.close()
        supervisor.stop()
