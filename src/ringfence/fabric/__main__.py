"""The helper: `python -I -m ringfence.fabric DIRECTORY`, inside the namespaces that the anchor keeps."""

import contextlib
import os
import select
import socket
import struct
import sys
from pathlib import Path

from ringfence.fabric import protocol
from ringfence.fabric.anchor import go_into_background
from ringfence.fabric.keeper import Keeper, say
from ringfence.kernel.errors import InternalError, Refused, RingfenceError

SOCKET = "socket"
RECORD = "helper.json"
_SECONDS_BETWEEN_LOOKS = 1.0
_PATIENCE = 2.0
_CREDENTIALS = struct.Struct("=iII")


def listen(directory: Path) -> socket.socket:
    """Listen in the directory; its path may be longer than a socket's name can be."""
    with contextlib.suppress(FileNotFoundError):
        (directory / SOCKET).unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    within = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    listener.bind(f"/proc/self/fd/{within}/{SOCKET}")
    os.close(within)
    (directory / SOCKET).chmod(0o600)
    listener.listen(16)
    return listener


def _caller(connection: socket.socket) -> int:
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    if uid != os.geteuid():  # root, or who is root in our user namespace; others have no number there
        raise Refused("only the owner of the fabric may speak to it")
    return int(pid)


def _send(connection: socket.socket, message: bytes, descriptor: int | None = None) -> None:
    with contextlib.suppress(OSError):  # whoever asked may be gone
        socket.send_fds(connection, [message], [descriptor] if descriptor is not None else [])
    if descriptor is not None:
        os.close(descriptor)


def _serve_one(keeper: Keeper, connection: socket.socket, listener: socket.socket) -> None:
    connection.settimeout(_PATIENCE)
    beside = False
    try:
        message = connection.recv(protocol.LONGEST_QUESTION + 1)  # first: closing it unread would take the answer along
        caller = _caller(connection)
        verb, fields = protocol.parse_question(message)
        if verb == "probe":  # it waits for answers, and a cut must not wait for it
            keeper.call_witness()
            beside = os.fork() == 0
            if not beside:
                return
            listener.close()  # should the helper be killed now, the next one must find socket and state free
            keeper.let_go()
        reply = keeper.answer(verb, fields, caller)
        _send(connection, protocol.answer(reply.content), reply.descriptor)
    except RingfenceError as error:
        _send(connection, protocol.problem(error))
    except OSError as error:
        _send(connection, protocol.problem(InternalError(f"the fabric stumbled: {error}")))
    finally:
        if beside:  # or there would be two helpers
            os._exit(0)


def serve(keeper: Keeper, listener: socket.socket) -> None:
    """Answer one question after the other, and look after the ruleset in between."""
    while True:
        ready, _, _ = select.select([listener, *keeper.events], [], [], _SECONDS_BETWEEN_LOOKS)
        try:
            keeper.tick()
        except (RingfenceError, OSError) as error:
            say(str(error))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if listener in ready:
            connection, _ = listener.accept()
            with connection:
                _serve_one(keeper, connection, listener)


def main() -> None:
    """Hold the kernel to the state, and only then listen."""
    directory = Path(sys.argv[1])
    os.umask(0o077)
    try:
        keeper = Keeper(directory)
    except RingfenceError as error:
        sys.exit(f"{error.slug}: {error}")
    listener = listen(directory)
    go_into_background(directory, RECORD, directory / "log")
    serve(keeper, listener)


if __name__ == "__main__":
    main()
