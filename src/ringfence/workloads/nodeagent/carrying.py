"""Carry one message to the process that holds the keys, and its answer back.

Each login to a node's agent starts this anew, so it imports next to nothing: where a machine is emulated, the modules
of the process that holds the keys take seconds.
"""

import socket
import sys
import time

from ringfence.workloads.nodeagent.bounds import LARGEST, LONGEST_LINE, SECONDS

PLACE = "/run/ringfence/keeper"
PATIENCE = 2 * SECONDS  # its predecessor may just have ended, and its own imports take their time


def main() -> None:
    """Carry standard input there, and print the answer."""
    sys.stdout.buffer.write(ask(PLACE, sys.stdin.buffer.read(LARGEST + LONGEST_LINE)))


def ask(place: str, message: bytes, *, patience: float = PATIENCE) -> bytes:
    """Carry a message to the process that listens, and return its answer; wait so many seconds for it to listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2 * SECONDS)
        deadline = time.monotonic() + patience
        while not _connected(connection, place):
            if time.monotonic() >= deadline:
                return _refused("the agent's keeper does not run")
            time.sleep(0.1)
        try:
            connection.sendall(message)
            parts = []
            while piece := connection.recv(2**20):
                parts.append(piece)
        except OSError as error:
            return _refused(f"the agent's keeper ended before it answered: {error.strerror or error}")
        return b"".join(parts) or _refused("the agent's keeper ended before it answered")


def _connected(connection: socket.socket, place: str) -> bool:
    try:
        connection.connect(place)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def _refused(why: str) -> bytes:
    import json  # only here: it takes as long as all the rest

    return json.dumps({"error": why}, separators=(",", ":")).encode() + b"\n"
