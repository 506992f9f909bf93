"""What the supervisor sees of a gateway, and nothing else: `python -m ringfence.testing.standin_gateway DIR --port N`.

What stands in `DIR/told` says how it behaves: fail, silent-end, nonsense, deaf, answer TEXT; or, with nothing there,
well.
"""

import json
import signal
import socket
import sys
from pathlib import Path

WORDS = {"nonsense": "listening!"}


def answer(server: socket.socket, text: bytes) -> None:
    """Say the same to everybody who comes."""
    while True:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(text)


def main(arguments: list[str]) -> int:
    """Behave as told."""
    told = (Path(arguments[0]) / "told").read_bytes().decode("ascii")
    if told == "fail":
        sys.stderr.write("ERROR ringfence.gateway port 8401 is taken by somebody\n")
        return 4
    if told == "silent-end":
        return 1
    if told == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", int(arguments[2]))) as server:
        sys.stdout.write(WORDS.get(told, json.dumps({"port": server.getsockname()[1]})) + "\n")
        sys.stdout.flush()
        if told.startswith("answer "):
            answer(server, told.removeprefix("answer ").encode())
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
