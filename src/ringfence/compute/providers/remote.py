"""Logins of the controller itself to a machine of one's own: fixed commands, input only by standard input.

Each login has a key of its own, which lies in memory for as long as the login takes, and a certificate of a minute with
the key id `controller`. Only the recorded host key is accepted; no agent, no configuration, no forwarding. What the
machine answers is bounded in size and time.
"""

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence import components
from ringfence.compute import sshkeys
from ringfence.compute.configuration import Facts, parse
from ringfence.compute.model import Endpoint, NodeId
from ringfence.compute.ports import Authority
from ringfence.compute.providers import guest_scripts
from ringfence.compute.providers.authority import private_bytes, public_line
from ringfence.kernel.errors import InternalError, Refused, RingfenceError, Unavailable, VerificationFailed
from ringfence.kernel.text import printable
from ringfence.storage.files import PRIVATE

KEY_ID = "controller"
CERTIFIED_SECONDS = 60
LARGEST = 8 * 2**20  # bytes of one answer
LARGEST_COMPLAINT = 4096
READ_SECONDS = 20.0
MEMORY = "/dev/shm"  # noqa: S108 -- made there with mode 0700; the disk may be full, and a key should never touch it
OPTIONS = (
    "ConnectTimeout=4", "ConnectionAttempts=1", "ServerAliveInterval=5", "ServerAliveCountMax=2",
    "ClearAllForwardings=yes", "ForwardX11=no", "Tunnel=no", "PermitLocalCommand=no", "ControlPath=none",
    "IdentityAgent=none", "RequestTTY=no", "EscapeChar=none", "NumberOfPasswordPrompts=0",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remote:
    """The way to one machine."""

    node: NodeId
    endpoint: Endpoint
    authority: Authority

    def command(self, folder: Path, command: str) -> tuple[list[str], dict[str, str]]:
        """Write the files of a login into a folder; return its argv, for use in that folder, and its environment."""
        program = components.find("ssh")
        argv = sshkeys.command(str(program.path), self.node, self.endpoint, self._files(folder), ())
        argv[1:1] = [part for option in OPTIONS for part in ("-o", option)]
        # The command that connects finds its own programs where we do.
        passed_on = {name: value for name in ("RINGFENCE_TOOLS",) if (value := os.environ.get(name))}
        return [*argv, command], {"PATH": os.defpath, "LC_ALL": "C", **passed_on, **program.environment}

    def _files(self, folder: Path) -> sshkeys.Files:
        key = Ed25519PrivateKey.generate()
        certificate = self.authority.certificate(
            public_line(key),
            principal=self.node,
            seconds=CERTIFIED_SECONDS,
            serial=int.from_bytes(os.urandom(6), "big"),
            key_id=KEY_ID,
        )
        files = sshkeys.Files("id", "id-cert.pub", "known_hosts")  # a path may hold what ssh's options take apart
        content: Mapping[str, bytes] = {
            files.key: private_bytes(key),
            files.certificate: certificate.encode() + b"\n",
            files.known_hosts: sshkeys.known_hosts(self.node, self.endpoint.host_key).encode(),
        }
        for path, data in content.items():
            (folder / path).touch(mode=PRIVATE)
            (folder / path).write_bytes(data)
        return files

    @contextmanager
    def talk(self, command: str, *, seconds: float) -> Iterator["Talk"]:
        """Log in, run one fixed command, and converse with it."""
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="ringfence-login-", dir=place) as folder:
            argv, environment = self.command(Path(folder), command)
            pipe = subprocess.PIPE
            with subprocess.Popen(  # noqa: S603 -- found, not typed
                argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=folder, bufsize=0
            ) as process:
                try:
                    yield Talk(process, self.endpoint.host, time.monotonic() + seconds)
                finally:
                    process.kill()

    def run(self, command: str, *, said: bytes = b"", seconds: float) -> str:
        """Run one fixed command to its end; return what it printed."""
        with self.talk(command, seconds=seconds) as talk:
            talk.say(said, end=True)
            return talk.rest()


class Talk:
    """One login that goes on: what is said goes to the command's standard input, what it prints is read by lines."""

    def __init__(self, process: "subprocess.Popen[bytes]", host: str, deadline: float) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise InternalError("pipes were asked for")
        self._process, self._host, self._deadline = process, host, deadline
        self._stdin, self._out, self._err = process.stdin, process.stdout.fileno(), process.stderr.fileno()
        self._open = {self._out, self._err}
        self._read, self._complaint, self._size = b"", b"", 0

    def say(self, data: bytes, *, end: bool = False) -> None:
        """Write to the command; with `end`, it has heard everything."""
        try:
            if data:
                self._stdin.write(data)
            if end:
                self._stdin.close()
        except OSError as error:
            raise self._problem() from error

    def until(self, mark: str) -> str:
        """Return what is printed before the line `mark`; raise where it never comes."""
        wanted = mark.encode() + b"\n"
        while not (self._read.startswith(wanted) or b"\n" + wanted in self._read):
            if not self._more():
                raise self._problem()
        if self._read.startswith(wanted):
            self._read = self._read[len(wanted) :]
            return ""
        before, _, self._read = self._read.partition(b"\n" + wanted)
        return before.decode(errors="replace") + "\n"

    def rest(self) -> str:
        """Return everything up to the end of the command; raise where it does not end well."""
        while self._more():
            pass
        if self._size > LARGEST:  # it would not end before it is read
            raise self._problem()
        left = max(0.0, self._deadline - time.monotonic())
        try:
            code = self._process.wait(left)
        except subprocess.TimeoutExpired as error:
            raise self._problem() from error
        if code:
            raise self._problem()
        return self._read.decode(errors="replace")

    def printed(self) -> str:
        """Return everything that comes before the end or the deadline, however the command ends."""
        while self._more():
            pass
        return self._read.decode(errors="replace")

    def _more(self) -> bool:
        """Read a piece; return whether there can be more."""
        left = self._deadline - time.monotonic()
        ready = select.select(list(self._open), [], [], left)[0] if left > 0 and self._open else []
        for descriptor in ready:
            self._take(descriptor, os.read(descriptor, 65_536))
        return bool(ready) and self._out in self._open and self._size <= LARGEST

    def _take(self, descriptor: int, piece: bytes) -> None:
        if not piece:
            self._open.discard(descriptor)
        elif descriptor == self._out:
            self._read += piece
            self._size += len(piece)
        else:
            self._complaint = (self._complaint + piece)[-LARGEST_COMPLAINT:]

    def _problem(self) -> RingfenceError:
        """Say what went wrong."""
        if self._size > LARGEST:
            return VerificationFailed(f"{self._host} answers with more than {LARGEST} bytes")
        if time.monotonic() >= self._deadline:
            return Unavailable(f"{self._host} did not answer in time")
        self._drain()
        return explained(self._complaint.decode(errors="replace"), self._host)

    def _drain(self) -> None:
        """Read what the client still says about its own end."""
        end = min(self._deadline, time.monotonic() + 1.0)
        while self._err in self._open and (left := end - time.monotonic()) > 0:
            if not select.select([self._err], [], [], left)[0]:
                return
            self._take(self._err, os.read(self._err, 4096))


def explained(complaint: str, host: str) -> RingfenceError:
    """Turn what ssh, or the command, complained of into an error of the family."""
    lines: Sequence[str] = [line.strip() for line in complaint.splitlines() if line.strip()]
    said = printable(lines[-1], 200) if lines else "it gave no reason"
    if "Host key verification failed" in complaint or "HOST IDENTIFICATION HAS CHANGED" in complaint:
        return VerificationFailed(f"{host} shows another host key than the one that was recorded; nobody logged in")
    if "Permission denied (" in complaint:
        return Refused(
            f"{host} does not let our certificates in; see what `ringfence node add` printed, to install there"
        )
    return Unavailable(f"{host}: {said}")


def configuration(way: Remote) -> Facts:
    """Read how a machine is set up; raise where it does not answer, or not with facts."""
    said = way.run(guest_scripts.SHELL, said=guest_scripts.CONFIGURATION.encode(), seconds=READ_SECONDS)
    return parse(said, source=way.node)
