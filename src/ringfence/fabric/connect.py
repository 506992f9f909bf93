"""Hand ssh a connection, as its `ProxyCommand` with `ProxyUseFdpass=yes`."""

import socket
import sys
from pathlib import Path

from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import RingfenceError

_USAGE = "usage: python -I -m ringfence.fabric.connect DIRECTORY NODE control|forensic"


def main() -> None:
    """Connect, pass the socket on standard output, and be gone."""
    try:
        directory, node, via = sys.argv[1:]
    except ValueError:
        sys.exit(_USAGE)
    try:
        connection = Fabric(Path(directory)).connect(node, via=via)
    except RingfenceError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    with connection, socket.socket(fileno=1) as ssh:
        socket.send_fds(ssh, [b"\0"], [connection.fileno()])
        ssh.detach()


if __name__ == "__main__":
    main()
