"""A node as our own services use it: run a command there, or reach a port of its loopback, through SSH.

Each session has a key of its own in memory, a certificate of minutes, and the host key that was recorded when the node
came up. A session ends with the process that opened it, whatever ends that: it lives as long as a pipe that only that
process holds.
"""

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence import components
from ringfence.compute import sshkeys
from ringfence.compute.model import Node
from ringfence.compute.providers.authority import private_bytes, public_line
from ringfence.compute.service import Compute
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Conflict, MalformedInput, Unavailable
from ringfence.storage.files import PRIVATE, write_whole

MEMORY = "/dev/shm"  # noqa: S108 -- a folder with mode 0700 is made there; a key should never touch a disk
PIECE = 2**18
MOST_CAPTURED = 2**20  # bytes of output that is not written elsewhere, and of what is said beside it
OPEN_WITHIN = 15.0  # seconds until a tunnel carries
POLL = 0.02
UNTIL_OUR_END = ("cat",)  # the remote end of a tunnel's session: it ends when our end of its input does


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a command."""

    code: int  # of the command; 255 where SSH itself failed
    out: bytes  # empty where it was written elsewhere
    err: bytes


@dataclass(frozen=True, slots=True)
class NodeShell:
    """Runs commands on one node, in the name of one person."""

    compute: Compute
    caller: Person
    node: Node

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: Iterable[bytes] = (),
        stdout: IO[bytes] | None = None,
        timeout: float,
    ) -> Finished:
        """Run a command to its end; `stdin` is read as fast as the command takes it.

        Raises:
            Unavailable: it took longer than `timeout` seconds, or printed more than is kept.
            Refused: the node is quarantined.
        """
        if not argv:
            raise MalformedInput("a command has at least one word")
        with self._session(argv) as process:
            return _pump(process, iter(stdin), stdout, time.monotonic() + timeout)

    def forward(self, local: Path, port: int) -> "Tunnel":
        """Open a Unix socket that leads to a port of the node's loopback; nothing else can be reached so."""
        options = [
            "ExitOnForwardFailure=yes",
            "StreamLocalBindUnlink=yes",
            "StreamLocalBindMask=0177",
            "ServerAliveInterval=2",  # a cut node answers no more: its tunnel ends seconds later
            "ServerAliveCountMax=2",
            f"LocalForward=./{local.name} 127.0.0.1:{port}",  # in its folder, whose path may hold what ssh expands
        ]
        with suppress(OSError):  # a crash leaves one, which would pass for an open tunnel
            local.unlink()
        folder = _folder()
        try:
            process = self._start(folder, UNTIL_OUR_END, options, local.parent)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        tunnel = Tunnel(process, local, folder)
        tunnel.await_open(time.monotonic() + OPEN_WITHIN)
        return tunnel

    @contextmanager
    def _session(self, argv: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        folder = _folder()
        try:
            process = self._start(folder, argv, [])
            try:
                yield process
            finally:
                _end(process)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(
        self, folder: Path, argv: Sequence[str], options: Sequence[str], works_in: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        program = components.find("ssh")
        key = Ed25519PrivateKey.generate()
        access = self.compute.certificate(self.caller, self.node.spec.name, public_line(key), tunnel=bool(options))
        if access.node.id != self.node.id:
            raise Conflict(f"{self.node.spec.name} is another node by now")
        files = sshkeys.Files(*(str(folder / name) for name in ("key", "certificate", "known_hosts")))
        contents = {
            files.key: private_bytes(key),
            files.certificate: access.certificate.strip().encode() + b"\n",
            files.known_hosts: sshkeys.known_hosts(self.node.id, access.endpoint.host_key).encode(),
        }
        for path, data in contents.items():
            write_whole(Path(path), data, mode=PRIVATE)
        command = sshkeys.command(str(program.path), self.node.id, access.endpoint, files, argv)
        command[1:1] = [part for option in options for part in ("-o", option)]
        environment = {"PATH": os.environ.get("PATH", os.defpath), **program.environment}
        pipe = subprocess.PIPE
        return subprocess.Popen(  # noqa: S603
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=works_in
        )


@dataclass(slots=True)
class Tunnel:
    """A Unix socket that leads into a node for as long as this is open."""

    process: "subprocess.Popen[bytes]"
    local: Path
    folder: Path

    @property
    def alive(self) -> bool:
        """Return whether its SSH session is there."""
        return self.process.poll() is None

    def await_open(self, until: float) -> None:
        """Return once the socket is there; raise `Unavailable`, and leave nothing, where it does not come."""
        while self.alive and time.monotonic() < until:
            if self.local.is_socket():
                shutil.rmtree(self.folder, ignore_errors=True)  # the key is used; what kills us leaves none behind
                return
            time.sleep(POLL)
        said = "it takes too long" if self.alive else _said(self.process)
        self.close()
        raise Unavailable(f"the tunnel into the node does not open: {said}")

    def close(self) -> None:
        """End the session, and every connection through it."""
        _end(self.process)
        with suppress(OSError):
            self.local.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="ringfence-ssh-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    with process:  # closes the pipes and waits
        pass


def _said(process: "subprocess.Popen[bytes]") -> str:
    """Return the last line that a session that has ended wrote about it."""
    data = process.stderr.read(PIECE) if process.stderr else b""
    lines = data.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else f"SSH ended with {process.returncode}"


def _pump(
    process: "subprocess.Popen[bytes]", source: Iterator[bytes], sink: IO[bytes] | None, until: float
) -> Finished:
    """Feed a process and drain it at the same time, so that neither waits for the other for ever."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise Unavailable("the session has no pipes")
    out, err = bytearray(), bytearray()
    keep: dict[int, Callable[[bytes], object]] = {
        process.stdout.fileno(): sink.write if sink else lambda piece: _bounded(out, piece),
        process.stderr.fileno(): lambda piece: _bounded(err, piece),
    }
    feed = _Feed(process.stdin, source)
    with selectors.DefaultSelector() as waiting:
        for descriptor in keep:
            waiting.register(descriptor, selectors.EVENT_READ)
        waiting.register(feed.descriptor, selectors.EVENT_WRITE)
        while waiting.get_map():
            _turn(waiting, keep, feed, until)
    return Finished(process.wait(timeout=max(1.0, until - time.monotonic())), bytes(out), bytes(err))


def _turn(
    waiting: selectors.BaseSelector, keep: dict[int, Callable[[bytes], object]], feed: "_Feed", until: float
) -> None:
    events = waiting.select(until - time.monotonic()) if until > time.monotonic() else []
    if not events:
        raise Unavailable("the command on the node takes longer than it may")
    for event, _ in events:
        if event.fd == feed.descriptor:
            if not feed.more():
                waiting.unregister(feed.descriptor)
                feed.pipe.close()
            continue
        piece = os.read(event.fd, PIECE)
        keep[event.fd](piece)
        if not piece:
            waiting.unregister(event.fd)


class _Feed:
    """Writes pieces into a pipe as it takes them."""

    def __init__(self, pipe: IO[bytes], source: Iterator[bytes]) -> None:
        self.pipe = pipe
        self.descriptor = pipe.fileno()
        self.source = source
        self.left = memoryview(b"")
        os.set_blocking(self.descriptor, False)

    def more(self) -> bool:
        """Write what fits; return whether there may be more."""
        if not self.left:
            piece = next(self.source, None)
            if piece is None:
                return False
            self.left = memoryview(piece)
        try:
            self.left = self.left[os.write(self.descriptor, self.left) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # the command reads no more; its answer says why
            return False
        return True


def _bounded(kept: bytearray, piece: bytes) -> None:
    kept += piece
    if len(kept) > MOST_CAPTURED:
        raise Unavailable(f"the command on the node prints more than {MOST_CAPTURED} bytes")
