"""The signer's process: read the keys, open what is needed, give up every right, then answer one kind of caller."""

import argparse
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ringfence.kernel import identifier
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable
from ringfence.kernel.identifier import LogOrigin
from ringfence.settings import Settings
from ringfence.signing import protocol
from ringfence.signing.desk import Desk
from ringfence.signing.keyring import SERVICE_FILE, from_file
from ringfence.signing.mark import MARK, MarkFile, published
from ringfence.signing.ports import Signer
from ringfence.storage import sockets
from ringfence.storage.files import explained
from ringfence.storage.tokensigner import TokenKey

SOCKET = "signer.sock"
CALLERS = 64  # connections at once; the control process keeps one per thread that signs
ENDS_WITHIN = 2.0  # seconds for the signer before us
BACKLOG = 1024  # a caller that finds it full is not served at all
STACK = 2**20  # bytes per thread: all of it is locked in memory, and 8 MiB each would be half a gigabyte
PATIENCE = 10.0  # seconds for the rest of a request that has begun
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 3, 4, 38
_MCL_CURRENT, _MCL_FUTURE = 1, 2
_UCRED = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Options:
    """What the supervisor says."""

    home: Path
    log: LogOrigin
    uid: int | None


class WallClock:
    """The clock of this machine, to the millisecond."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, tz=UTC)


def options(arguments: Sequence[str]) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="ringfence.signing", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--log", required=True)
    parser.add_argument("--uid", type=int)
    chosen = parser.parse_args(arguments)
    return Options(chosen.home, identifier.log_origin(chosen.log), chosen.uid)


def main(arguments: Sequence[str]) -> int:
    """Run the signer; the first line on standard output says whether it serves, or why not."""
    caller = os.getuid()
    try:
        chosen = options(arguments)
        locked = harden()
        alone = exclusive(chosen.home)
        signer = opened(chosen)
        signer.keys.check()  # loads the module of a token, which the user whom we become may not be able to read
        listener = bound(chosen.home / SOCKET)
        give_up_rights(user_of(signer.keys.in_tokens(), chosen.uid))
        signer.keys.check()
    except RingfenceError as error:
        _say({"because": str(error), "kind": error.slug})
        return error.exit_code
    _say({"ready": os.getpid(), "memoryLocked": locked, "dumpable": dumpable()})
    serve(listener, signer, caller)
    os.close(alone)
    return 0


def harden() -> bool:
    """Leave no core file, let no neighbour look in; return whether the memory stays out of swap."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    _undumpable(libc)
    if os.geteuid() == 0:  # without the limit, the memory that is locked from now on would end at some kilobytes
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    return unlimited and libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) == 0


def dumpable() -> bool:
    """Return whether a neighbour of our user could look into this process, as the kernel says."""
    return bool(ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))


def _undumpable(libc: ctypes.CDLL) -> None:
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unavailable("this kernel does not let a process close itself against its neighbours")


def exclusive(home: Path) -> int:
    """Be the only signer of a home, as long as the descriptor that is returned is open.

    One whose `up` was killed ends by itself: that is waited for.
    """
    with explained(home / "keys", "open"):
        descriptor = os.open(home / "keys", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + ENDS_WITHIN
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            raise Unavailable(f"`ringfence up` is running for {home} already; use it, or stop it first") from error
        return descriptor


def opened(chosen: Options) -> Desk:
    """Read the keys and what the log shows, and open the mark: nothing of it can be read later."""
    passphrase = Settings.from_environment({**os.environ, "RINGFENCE_HOME": str(chosen.home)}).passphrase()
    mark = MarkFile(chosen.home / MARK, chosen.log)
    mark.open()
    note = published(chosen.home)
    keys = from_file(chosen.home / "keys" / SERVICE_FILE, passphrase, chosen.log)
    return Desk(keys.ready(), mark, WallClock(), lambda: note)


def bound(path: Path) -> socket.socket:
    """Make the socket, for our own user alone; what a killed signer left is removed."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        if path.is_socket():
            path.unlink()
        sockets.bind(listener, path)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(f"the socket {path} cannot be made: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return listener


def user_of(in_tokens: Sequence[TokenKey], uid: int | None) -> int | None:
    """Return the user to become: one who may use the token, where keys lie in one: the owner of the PIN's file."""
    owners = {key.token.place.pin_file.stat().st_uid for key in in_tokens}
    if os.geteuid() != 0 or uid is None or not owners:
        return uid
    if owners & {0} or len(owners) > 1:
        raise Unavailable(
            "as root, the signer becomes the user who owns the file of the PIN: give it, and the token, to a user of "
            "their own (chown)"
        )
    return owners.pop()


def give_up_rights(uid: int | None) -> None:
    """Become a user who owns nothing, where we are root and were told whom; for good."""
    if uid is not None and os.geteuid() == 0:
        if uid == 0:
            raise Unavailable("the signer does not sign as root: name another user")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _undumpable(ctypes.CDLL(None, use_errno=True))  # a change of user makes a process dumpable again


def serve(listener: socket.socket, signer: Signer, caller: int) -> None:
    """Answer until the supervisor goes away or says so."""
    ended, ending = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(ending, b"."))
    slots = threading.BoundedSemaphore(CALLERS)
    threading.stack_size(STACK)
    while True:
        ready = select.select([listener, sys.stdin, ended], [], [])[0]
        if ended in ready or (sys.stdin in ready and not os.read(sys.stdin.fileno(), 1)):
            return
        if listener in ready:
            connection = listener.accept()[0]
            if peer(connection) != caller or not slots.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=_attend, args=(connection, signer, slots), daemon=True).start()


def peer(connection: socket.socket) -> int:
    """Return the user at the other end, as the kernel knows it."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(found)[1])


def _attend(connection: socket.socket, signer: Signer, slots: threading.BoundedSemaphore) -> None:
    try:
        with connection, suppress(OSError, EOFError):
            while True:
                connection.settimeout(None)
                first = connection.recv(1)
                if not first:
                    return
                connection.settimeout(PATIENCE)
                try:
                    prefix = first + protocol.exactly(connection.recv, protocol.PREFIX - 1)
                    request = protocol.exactly(connection.recv, protocol.length(prefix))
                except MalformedInput:
                    return  # whoever sends that speaks another protocol
                connection.sendall(protocol.answer(signer, request))
    finally:
        slots.release()


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 -- the supervisor waits for it
