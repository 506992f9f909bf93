"""An emulator's control socket without an emulator, and the network at the far end of a machine's cable."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ringfence.compute.providers import monitor

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\n'
EVENT = b'{"event": "RESUME", "timestamp": {}}\n'
Network = Callable[[bytes], list[bytes]]


class Emulator:
    """Answers control commands with `{}`, or as `answers` says; frames on the cable's third end go to `network`."""

    def __init__(self, answers: dict[str, bytes] | None = None, network: Network | None = None) -> None:
        self.answers = answers or {}
        self.network = network or (lambda _: [])
        self.asked: list[str] = []

    def serve(self, server: socket.socket) -> None:
        """Answer one conversation after the other, until the socket is shut."""
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(GREETING)
        while True:
            data, files, _, _ = socket.recv_fds(connection, 65_536, 1)
            if not data:
                return
            for number in files:
                threading.Thread(target=self._carry, args=(socket.socket(fileno=number),), daemon=True).start()
            for line in data.splitlines():
                command = str(json.loads(line)["execute"])
                self.asked.append(command)
                connection.sendall(EVENT + self.answers.get(command, b'{"return": {}}\n'))

    def _carry(self, cable: socket.socket) -> None:
        with cable:
            while frame := cable.recv(65_536):
                for answer in self.network(frame):
                    cable.send(answer)


@contextmanager
def running(path: Path, **parts: Any) -> Iterator[Emulator]:
    """Run one at the control socket `path`."""
    made = Emulator(**parts)
    with monitor.listening(path) as number:
        server = socket.socket(fileno=socket.dup(number))
        thread = threading.Thread(target=made.serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(5)
