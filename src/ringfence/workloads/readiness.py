"""Ask an engine at the end of its tunnel whether it is ready."""

import socket
import time
from pathlib import Path

from ringfence.gateway.model import Protocol
from ringfence.storage import sockets

PATHS = {Protocol.OPENAI: "/health", Protocol.INFERENCE_V2: "/v2/health/ready"}
SECONDS = 3.0
LONGEST = 64  # bytes of a status line that are looked at


def is_ready(local: Path, protocol: Protocol, within: float = SECONDS) -> bool:
    """Return whether it says so within some seconds; whatever else happens means no."""
    until = time.monotonic() + within
    question = f"GET {PATHS[protocol]} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(within)
            sockets.connect(sock, local)
            sock.sendall(question)
            return _status(sock, until) == b"200"
    except OSError:
        return False


def _status(sock: socket.socket, until: float) -> bytes:
    said = b""
    while b"\n" not in said and len(said) < LONGEST:
        sock.settimeout(max(0.0, until - time.monotonic()))
        piece = sock.recv(LONGEST)
        if not piece:
            break
        said += piece
    words = said.partition(b"\n")[0].split()
    return words[1] if len(words) > 1 and words[0].startswith(b"HTTP/1.") else b""
