"""Keep the practice ground's process: start it beside `up`, lead somebody into it, end it, remove it.

It ends with `up`, however that ends: its standard input is a pipe of ours, and it goes when that closes.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.frontends.client import SOCKET, connect, listening
from ringfence.kernel.errors import Conflict, RingfenceError, Unavailable
from ringfence.kernel.text import printable
from ringfence.settings import Settings
from ringfence.storage import said
from ringfence.storage.files import explained
from ringfence.workloads.practice import ground
from ringfence.workloads.practice.clearing import clear

LISTENS_WITHIN = 60.0  # seconds: it is made, and then starts as any `up` does
ENDS_WITHIN = 30.0  # seconds after SIGTERM; then SIGKILL
LOOK_EVERY = 0.05  # seconds
COMMAND = (sys.executable, "-I", "-m", "ringfence", "practice", "serve")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the practice ground stands."""

    path: Path  # its home
    made: bool
    runs: bool
    address: str  # of its console, where it runs
    because: str  # why there can be none now; empty where there can


class Keeper:
    """Keeps one practice ground below one home; only the process that serves the home may start it."""

    def __init__(self, home: Path, command: tuple[str, ...] = COMMAND) -> None:
        self.home = home / ground.FOLDER
        self.log = home / ground.SAID
        self.command = command
        self._serves = False
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let it be started while the block runs, and end it with the block."""
        self._serves = True
        try:
            yield
        finally:
            self._serves = False  # first: whoever starts it just now gives up
            with self._lock:
                self._end()

    @property
    def pid(self) -> int | None:
        """Return its process."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def standing(self) -> Standing:
        """Return how it stands."""
        made, because = False, "" if self._serves else "a practice runs beside `ringfence up`, and ends with it"
        address = ""
        try:
            made = ground.is_made(self.home)
            runs = self.pid is not None and listening(self.home / SOCKET)
            address = ground.address(ground.port_of(self.home)) if runs else ""
        except RingfenceError as error:
            because = str(error)
        return Standing(self.home, made, bool(address), address, because)

    def enter(self) -> str:
        """Start it where it does not run; return an address that opens one session of its owner there, once.

        Raises:
            Unavailable: nobody serves this home, or it did not start; its last words are told.
            Conflict: another process than ours serves it.
        """
        with self._lock:
            if not self._serves:
                raise Unavailable("a practice runs beside `ringfence up`, and ends with it: start that first")
            ground.is_made(self.home)
            if self.pid is None:
                self._check_free()
                self._launch()
            return self._link()

    def stop(self) -> bool:
        """End it; return whether it ran."""
        with self._lock:
            ran = self.pid is not None
            self._end()
            return ran

    def remove(self) -> bool:
        """End it and remove its folder, and nothing outside of that; return whether there was one."""
        with self._lock:
            self._end()
            if not ground.is_made(self.home):
                return False
            self._check_free()
            clear(self.home)  # what an `up` that was killed may have left
            with explained(self.home, "remove"):
                shutil.rmtree(self.home)  # links in it are removed, and not followed
                self.log.unlink(missing_ok=True)
            return True

    def _check_free(self) -> None:
        if listening(self.home / SOCKET):
            raise Conflict(f"another process serves {self.home}; end it first")

    def _launch(self) -> None:
        with said.kept(self.log) as file, explained(Path(sys.executable), "start"):
            began = file.seek(0, os.SEEK_END)
            self._child = subprocess.Popen(  # noqa: S603 -- our own module by our own interpreter, no shell
                self.command,
                env=ground.environment(self.home),
                stdin=subprocess.PIPE,  # it ends when we do, however that happens
                stdout=subprocess.DEVNULL,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for us: we end it in our own turn
            )
            deadline = time.monotonic() + LISTENS_WITHIN
            while not listening(self.home / SOCKET):
                if self.pid is None or not self._serves or time.monotonic() > deadline:
                    self._end()
                    raise Unavailable(f"the practice does not start: {_reason(said.since(file, began))}")
                time.sleep(LOOK_EVERY)

    def _link(self) -> str:
        if not listening(self.home / SOCKET):
            raise Unavailable(f"the practice does not answer; see {self.log}")
        with connect(Settings(self.home)) as client:
            path = client.post("/api/v1/links")["path"]
        return f"{ground.address(ground.port_of(self.home))}{path}"

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()
        if child.returncode and self.home.is_dir():  # it could not clear up behind itself
            clear(self.home)


def _reason(line: str) -> str:
    return printable(line.removeprefix("ringfence: "), said.LONGEST) or "it ended without saying why"
