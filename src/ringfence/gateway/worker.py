"""Keep the gateway's process running: start it, wait until it listens, start it again when it ends, stop it.

A gateway that outlived an `up` that was killed is ended before another starts: it may be of an older version. Until
then it goes on with the snapshot that it has, and refuses once that has expired.
"""

import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.text import printable
from ringfence.storage import said
from ringfence.storage.files import explained

MODULE = "ringfence.gateway.hotpath"
PORT = 8401
LISTENS_WITHIN = 30.0  # seconds: an unlucky neighbour, a cold disk
ENDS_WITHIN = 15.0  # seconds for running answers after SIGTERM; then SIGKILL
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the next attempt
ANSWERS_WITHIN = 3.0  # seconds; a busy gateway says in a millisecond that it is well
SETTLED = 60.0  # seconds of life after which an end is no longer taken for a failed start
_LONGEST_ANSWER = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the gateway runs, and as whom."""

    folder: Path
    log: Path  # what the process says on standard error
    port: int  # 0: any that is free
    environment: Mapping[str, str] = field(default_factory=dict)
    module: str = MODULE

    def command(self, port: int, user: int | None) -> list[str]:
        """Return how it is started."""
        given = [] if user is None else ["--uid", str(user), "--gid", str(user)]
        return [sys.executable, "-I", "-m", self.module, str(self.folder.absolute()), "--port", str(port), *given]


class Supervisor:
    """Runs one gateway; `prepare` makes its folder ready and returns the user that it runs as, if not ours."""

    def __init__(self, place: Place, prepare: Callable[[], int | None]) -> None:
        self.place = place
        self.prepare = prepare
        self.port = place.port
        self.because = ""  # why it does not run
        self.starts = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gateway", daemon=True)

    @property
    def pid(self) -> int | None:
        """Return the process that runs now."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def ask(self) -> str:
        """Ask the gateway whether it serves; return why it does not, or nothing where it does."""
        if self.pid is None:
            return self.because or "its process has ended, and is started again"
        return asked(self.port)

    def start(self) -> bool:
        """Start the gateway and return whether it listens; where it does not, `because` says why, and it is retried."""
        began = self._attempt()
        self._thread.start()
        return began

    def stop(self) -> None:
        """End the gateway: running answers get a while."""
        with self._starting:  # none is started from here on
            self._stopping.set()
            child = self._child
        if child is not None:
            end(child.pid, lambda: child.poll() is None)
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=ENDS_WITHIN)
        if self._thread.is_alive():
            self._thread.join(timeout=ENDS_WITHIN)

    def _watch(self) -> None:
        failures = 0 if self.pid else 1
        while not self._stopping.is_set():
            child, began = self._child, time.monotonic()
            if child is not None:
                child.wait()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > SETTLED else failures
            if child is not None:
                _log.warning("the gateway ended (%s); it is started again: see %s", child.returncode, self.place.log)
            self._stopping.wait(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
            failures += 1
            if not self._stopping.is_set():
                self._attempt()

    def _attempt(self) -> bool:
        try:
            self._launch()
        except RingfenceError as error:
            if str(error) != self.because:
                _log.warning("the gateway does not run: %s", error)
            self.because = str(error)
            return False
        if self.starts > 1:
            _log.warning("the gateway runs at port %d", self.port)
        self.because = ""
        return True

    def _launch(self) -> None:
        """Start it and wait until it listens; raise `Unavailable` with what it said."""
        self._child = None
        user = self.prepare()
        for orphan in running(self.place):
            end(orphan, lambda pid=orphan: pid in running(self.place))  # type: ignore[misc]
        with said.kept(self.place.log) as file:
            begins = file.seek(0, os.SEEK_END)
            child = self._spawned(file, user)
            try:
                self.port = _listening(child)
            except Unavailable as error:
                child.kill()
                child.wait()
                self._child = None
                raise Unavailable(_reason(said.since(file, begins)) or str(error)) from error

    def _spawned(self, file: IO[bytes], user: int | None) -> "subprocess.Popen[bytes]":
        with self._starting, explained(Path(sys.executable), "start"):
            if self._stopping.is_set():
                raise Unavailable("it was stopped")
            self._child = subprocess.Popen(  # noqa: S603 -- our own module by our own interpreter, no shell
                self.place.command(self.port, user),
                env=dict(self.place.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for us: we stop it after we have told it so
            )
            self.starts += 1
            return self._child


def _listening(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the line with which it says where it listens; return the port."""
    if child.stdout is None:
        raise Unavailable("the gateway has no standard output")
    with child.stdout as output:
        said = _first_line(output, time.monotonic() + LISTENS_WITHIN)
    try:
        return int(json.loads(said)["port"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable("it did not say where it listens") from error


def _first_line(output: IO[bytes], deadline: float) -> bytes:
    said = b""
    while b"\n" not in said and len(said) < _LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([output], [], [], left)[0]:
            raise Unavailable(f"it did not listen within {LISTENS_WITHIN:.0f} s")
        piece = os.read(output.fileno(), _LONGEST_ANSWER)
        if not piece:
            raise Unavailable("it ended without saying why")
        said += piece
    return said.partition(b"\n")[0]


def _reason(line: str) -> str:
    """Return what it said, without what the logger put before it."""
    return printable(line.removeprefix("ERROR ").removeprefix("ringfence.gateway "), said.LONGEST)


def asked(port: int, *, within: float = ANSWERS_WITHIN) -> str:
    """Ask whoever listens at a port of this machine whether it serves; return why not, or nothing."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n")
            words = connection.recv(_LONGEST_ANSWER).split(b" ", 2)
    except OSError as error:
        return f"nobody answers at its port {port}: {error.strerror or error}"
    if len(words) < 3 or words[0] != b"HTTP/1.1":
        return f"what answers at its port {port} is no gateway"
    return "" if words[1] == b"200" else f"it refuses every caller: {_sentence(words[2])}"


def _sentence(answer: bytes) -> str:
    """Return the sentence of an error of the gateway."""
    try:
        text = str(json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "it does not say why"
    return printable(text, said.LONGEST)


def running(place: Place) -> list[int]:
    """Return the gateways of this folder: their arguments name the module and the folder."""
    wanted = [place.module.encode(), os.fsencode(place.folder.absolute())]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if wanted == words[3:5] and words[1:3] == [b"-I", b"-m"]:
                    found.append(int(entry.name))
    return found


def end(pid: int, is_it: Callable[[], bool], *, seconds: float = ENDS_WITHIN) -> None:
    """Ask a process to end, then make it; `is_it` says whether the pid is still the process that is meant."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not is_it():  # the handle holds the pid now, so that this answer cannot become wrong
                return
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], seconds)[0]:
                return
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Unavailable(f"a gateway of another user runs for this home (process {pid}); end it first") from error
    finally:
        os.close(handle)
