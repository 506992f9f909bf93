"""The process of the agent that holds the keys and listens; `carrying` brings it messages.

A message is one line of JSON, whose `size` says how many bytes follow; the answer is one line of JSON. `keep` is
started by the node's first process as root: it opens the TPM, the firmware's log and the list of what was measured, and
gives every right up before it listens.
"""

import ctypes
import json
import os
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringfence.compute.providers import tpm2
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.workloads.nodeagent.bounds import LARGEST, LONGEST_LINE, SECONDS
from ringfence.workloads.nodeagent.carrying import PLACE as SOCKET
from ringfence.workloads.nodeagent.keeping import Keeping, new_identity

PLACE = Path(SOCKET)
DEVICE = "/dev/tpmrm0"
EVENT_LOG = Path("/sys/kernel/security/tpm0/binary_bios_measurements")
IMA_LIST = Path("/sys/kernel/security/ima/ascii_runtime_measurements")
KEEPER, NOBODY, USER = 101, 65534, 1000  # scripts/build_image.py
PR_SET_DUMPABLE = 4


def keep() -> None:
    """Hold the keys of this node until the last lease ends."""
    tpm = tpm2.Tpm(tpm2.device(DEVICE))
    measured = os.open(IMA_LIST, os.O_RDONLY | os.O_CLOEXEC)
    log = EVENT_LOG.read_bytes()
    keeping = Keeping(tpm, new_identity(tpm), log, lambda: _whole(measured), _now, time.monotonic)
    PLACE.parent.mkdir(mode=0o755, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        PLACE.unlink(missing_ok=True)
        server.bind(str(PLACE))
        os.chown(PLACE, USER, USER)
        PLACE.chmod(0o600)
        _give_up_rights()
        server.listen(8)
        serve(server, keeping)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 -- a program of its own: there is no port to take


def _give_up_rights() -> None:
    """Become a user of its own, of whom nobody keeps a core file and whom no neighbour may trace."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(KEEPER, KEEPER, KEEPER)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _whole(descriptor: int) -> bytes:
    """Read a file of the kernel's from its beginning, through a descriptor from before the rights were gone."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while piece := os.read(descriptor, 65_536):
        parts.append(piece)
    return b"".join(parts)


def serve(server: socket.socket, keeping: Keeping) -> None:
    """Answer one message after the other, until there was a lease and there is none any more."""
    try:
        while not keeping.ended:
            server.settimeout(keeping.expire())
            if keeping.ended:
                break
            with suppress(OSError):  # of a lease that ended while nobody came, or of somebody who went away
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(SECONDS)
                    connection.sendall(_answered(connection, keeping.answer))
    finally:
        keeping.drop_all()
        server.close()  # who waits to be heard is told so at once


def _answered(connection: socket.socket, answer: Callable[[dict[str, Any], bytes], dict[str, Any]]) -> bytes:
    try:
        request, content = _message(connection)
    except RingfenceError as error:
        return _line({"error": str(error)})
    return _line(answer(request, content))


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _message(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Read one message, bounded in size and time."""
    deadline, data = time.monotonic() + SECONDS, b""
    while b"\n" not in data:
        data += _more(connection, deadline)
        if len(data) > LONGEST_LINE and b"\n" not in data[:LONGEST_LINE]:
            raise MalformedInput(f"the message begins with more than {LONGEST_LINE} bytes in one line")
    line, _, content = data.partition(b"\n")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the message does not begin with a line of JSON") from error
    size = request.pop("size", 0) if isinstance(request, dict) else -1
    if type(size) is not int or not 0 <= size <= LARGEST:
        raise MalformedInput(f"a message is an object, with at most {LARGEST} bytes behind it")
    parts, left = [content], size - len(content)
    while left > 0:
        parts.append(_more(connection, deadline))
        left -= len(parts[-1])
    if left:
        raise MalformedInput("more follows the message than it says")
    return request, b"".join(parts)


def _more(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(max(0.01, deadline - time.monotonic()))
    try:
        piece = connection.recv(2**20)
    except TimeoutError as error:
        raise MalformedInput("the message did not come in time") from error
    if not piece:
        raise MalformedInput("the message breaks off")
    return piece
