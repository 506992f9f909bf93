"""The control socket of a running emulator: what is asked of it, and the third end of a machine's cable."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.compute.providers.qemu import HUB
from ringfence.kernel.errors import Unavailable
from ringfence.storage import sockets

WIRE, WIRE_END = "wire", "wire-end"
ANSWER_SECONDS = 3.0
START_SECONDS = 10.0
LONGEST_ANSWER = 2**20
MOST_LINES = 1000  # the answer is one of them


def await_running(path: Path, alive: Callable[[], bool]) -> None:
    """Wait until the machine runs; the guest's own start takes longer."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not alive():
            raise Unavailable("the emulator ended at once")
        with suppress(Unavailable):
            status = ask(path, "query-status").get("query-status")
            if isinstance(status, dict) and status.get("status") == "running":
                return
        time.sleep(0.02)
    raise Unavailable(f"the emulator does not run the machine within {START_SECONDS:.0f} s")


@contextmanager
def listening(path: Path) -> Iterator[int]:
    """Listen at a new socket that only we can connect to; the path may be longer than a socket's address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        path.unlink(missing_ok=True)
        sockets.bind(server, path)
        path.chmod(0o700)
        server.listen(1)
        yield server.fileno()


class Monitor:
    """A conversation with a running emulator; the commands are ours, its answers are not trusted."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def ask(self, command: str, arguments: Mapping[str, object] | None = None, *, file: int | None = None) -> object:
        """Return the answer to one command; an error of the emulator's is an answer, too."""
        message = json.dumps({"execute": command, "arguments": dict(arguments or {})}).encode() + b"\n"
        socket.send_fds(self._connection, [message], [] if file is None else [file])
        for _ in range(MOST_LINES):
            line = self._lines.readline(LONGEST_ANSWER)
            if not line:
                raise Unavailable("the emulator ended while it was asked")
            found = _read(line)
            if "return" in found or "error" in found:
                return found.get("return", found.get("error"))
        raise Unavailable("the emulator says anything but the answer")


@contextmanager
def monitor(path: Path, *, seconds: float = ANSWER_SECONDS) -> Iterator[Monitor]:
    """Open a conversation.

    Raises:
        Unavailable: the emulator does not answer in time, or not in JSON.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            sockets.connect(connection, path)
            asking = Monitor(connection)
            asking.ask("qmp_capabilities")
            yield asking
    except OSError as error:
        raise Unavailable(f"the emulator does not answer: {error.strerror or error}") from error


def ask(path: Path, *commands: str, seconds: float = ANSWER_SECONDS) -> dict[str, object]:
    """Return what the emulator answers to some commands."""
    with monitor(path, seconds=seconds) as asking:
        return {command: asking.ask(command) for command in commands}


@contextmanager
def tapped(path: Path) -> Iterator[socket.socket]:
    """Give a third end of the machine's cable, for a moment: each datagram is a frame.

    Raises:
        Unavailable: the emulator does not add it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs, monitor(path) as asking:
        for name in (WIRE_END, WIRE):  # left by a probe that was killed
            asking.ask("netdev_del", {"id": name})
        asking.ask("getfd", {"fdname": WIRE}, file=theirs.fileno())
        local = {"type": "fd", "str": WIRE}
        added = [
            asking.ask("netdev_add", {"type": "dgram", "id": WIRE, "local": local}),
            asking.ask("netdev_add", {"type": "hubport", "id": WIRE_END, "hubid": HUB, "netdev": WIRE}),
        ]
        try:
            if added != [{}, {}]:
                raise Unavailable(f"the emulator adds no end to the cable: {str(added)[:200]}")
            yield ours
        finally:
            for name in (WIRE_END, WIRE):
                asking.ask("netdev_del", {"id": name})


def _read(line: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unavailable("the emulator's answer does not parse") from error
    return found if isinstance(found, dict) else {}
