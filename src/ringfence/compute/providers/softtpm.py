"""A software TPM of one node: swtpm as a process of its own, with no network, no privilege and one folder.

Whoever runs it knows its seed: what it signs proves nothing against this host, and evidence says so by the issuer of
its certificate (`endorsement`). It is made before the machine starts: one bank of registers, since firmware measures
into each, and its endorsement key gets its certificate then.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence import components
from ringfence.compute.providers import processes, qemu
from ringfence.compute.providers.tpm2 import LARGEST, Tpm
from ringfence.kernel.errors import Unavailable

PROGRAM = "swtpm"
SECONDS = 10.0  # for an answer; making an RSA key may take one
INIT, SET_DATA_SOCKET = 2, 16  # of swtpm's control protocol
PREFIX = "prefix="  # a process is found by what its messages begin with


class Control:
    """The control channel of a software TPM, whose other end it was started with."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(SECONDS)

    def ask(self, command: int, body: bytes = b"", *, file: int | None = None) -> None:
        """Give one command; raise `Unavailable` where it is not done."""
        try:
            message = struct.pack(">I", command) + body
            socket.send_fds(self._connection, [message], [] if file is None else [file])
            answer = self._connection.recv(LARGEST)
        except OSError as error:
            raise Unavailable(f"the software TPM does not answer: {error.strerror or error}") from error
        if answer[:4] != bytes(4):
            raise Unavailable(f"the software TPM refuses control command {command}")


@contextmanager
def start(folder: Path, marker: str, uid: int | None, log: int) -> Iterator[tuple[socket.socket, processes.Process]]:
    """Start a software TPM over the state in `folder`; give its control channel and its process.

    It ends when the connection for commands does that was handed to it; one that never got any is found by its mark.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        launched(folder, marker, uid, theirs.fileno(), log)
        theirs.close()
        yield ours, qemu.appeared(f"{PREFIX}{marker}")


def launched(folder: Path, marker: str, uid: int | None, control: int, log: int) -> None:
    """Run swtpm with a control channel; its user needs no right to any path of ours but its folder."""
    found, handed = components.find(PROGRAM), qemu.Handed()
    own = {control}
    try:
        named = found.environment.get("LD_LIBRARY_PATH", "").split(os.pathsep)
        libraries = [handed.path(qemu.directory(Path(path))) for path in named if path]
        environment = {"LC_ALL": "C", **({"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {})}
        program = handed.path(os.open(found.path, os.O_PATH | os.O_CLOEXEC))
        state = handed.path(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        argv = [
            *qemu.confined(uid, "tcg"), program, "socket", "--tpm2",
            "--ctrl", f"type=unixio,clientfd={handed.number(control)}",
            "--tpmstate", f"dir={state},mode=0600", "--log", f"{PREFIX}{marker}", "--terminate",
        ]  # fmt: skip
        qemu.detach(argv, environment, stderr=log, inherited=handed.descriptors)
    finally:
        for number in set(handed.descriptors).difference(own):
            os.close(number)


def make(folder: Path, marker: str, uid: int | None, log: int) -> bytes:
    """Make a new TPM in an empty folder of its user; return its endorsement key as TPM2B_PUBLIC."""
    with start(folder, marker, uid, log) as (channel, process):
        control, (ours, theirs) = Control(channel), socket.socketpair()
        with ours, theirs:
            tpm = tpm_over(ours)
            power_on(control, tpm, theirs.fileno())
            tpm.allocate()
            tpm.shutdown()
            _reset(control, tpm)  # the other banks are gone now, and the same seed gives the same key
            key = tpm.endorsement_key()
            tpm.flush(key.handle)
            tpm.shutdown()
        processes.end(process)  # it has answered, so that its state is written
    return key.public


def power_on(control: Control, tpm: Tpm, far_end: int) -> None:
    """Connect commands to a software TPM that was just started, and switch it on."""
    control.ask(SET_DATA_SOCKET, file=far_end)
    _reset(control, tpm)


def tpm_over(connection: socket.socket) -> Tpm:
    """Return the TPM at the other end of a connection."""
    connection.settimeout(SECONDS)
    return Tpm(lambda command: _exchange(connection, command))


def _reset(control: Control, tpm: Tpm) -> None:
    control.ask(INIT, bytes(4))
    tpm.startup()


def _exchange(connection: socket.socket, command: bytes) -> bytes:
    try:
        connection.sendall(command)
        return connection.recv(LARGEST)
    except OSError as error:
        raise Unavailable(f"the software TPM does not answer: {error.strerror or error}") from error


def usable() -> str:
    """Return why there is no software TPM here; empty where there is one."""
    try:
        components.find(PROGRAM)
    except Unavailable as error:
        return str(error)
    return ""
