"""The ports that front ends open: on loopback only, since what they speak is plain HTTP."""

import errno
import socket

from ringfence.kernel.errors import Unavailable, UsageError
from ringfence.settings import LOOPBACK


def listen(host: str, port: int) -> socket.socket:
    """Open a port; off loopback it would be plaintext, so it stays on loopback."""
    if host not in {LOOPBACK, "::1"}:
        raise UsageError("this speaks plain HTTP and stays on loopback; put a TLS 1.3 proxy in front of it")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"port {port} is in use by another program; end it, or choose another with --port"
        else:
            sentence = f"port {port} cannot be opened: {error.strerror}; choose another with --port"
        raise Unavailable(sentence) from error
    return bound
