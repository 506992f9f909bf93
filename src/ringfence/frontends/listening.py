"""The doors that front ends open: ports on loopback only, since what they speak is plain HTTP; a socket in the home."""

import errno
import os
import socket
from pathlib import Path

from ringfence.kernel.errors import Unavailable, UsageError
from ringfence.settings import LOOPBACK
from ringfence.storage import sockets


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


def listen_on_socket(path: Path) -> socket.socket:
    """Open the socket in the home, which only its owner may use."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sockets.connect(probe, path)
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        if not path.is_socket():
            raise Unavailable(f"{path} is in the way of the socket; move it elsewhere") from None
        path.unlink(missing_ok=True)  # left behind by a server that was killed
    except OSError as error:
        raise Unavailable(f"the socket {path} cannot be opened: {error.strerror or error}") from error
    else:
        raise Unavailable(f"`ringfence up` is running for {path.parent} already; use it, or stop it first")
    finally:
        probe.close()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sockets.bind(bound, path)
    except OSError as error:
        bound.close()
        raise Unavailable(f"the socket {path} cannot be made: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return bound
