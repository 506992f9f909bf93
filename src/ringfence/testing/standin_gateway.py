"""What the supervisor sees of a gateway, and nothing else: `python -m ringfence.testing.standin_gateway DIR --port N`.

What stands in `DIR/told` says how it behaves: fail, silent-end, nonsense, deaf; or, with nothing there, well.
"""

import json
import signal
import socket
import sys
from pathlib import Path

WORDS = {"nonsense": "listening!"}


def main(arguments: list[str]) -> int:
    """Behave as told."""
    told = (Path(arguments[0]) / "told").read_text(encoding="ascii")
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
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
