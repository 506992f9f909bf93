"""What goes into a virtual machine and what it says of itself; its words are evidence of what it said, no more."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ringfence import components
from ringfence.compute import sshkeys
from ringfence.compute.model import Endpoint, NodeId, NodeSpec
from ringfence.compute.ports import Authority
from ringfence.compute.providers import launcher, qemu, sshd
from ringfence.compute.providers.authority import private_bytes
from ringfence.compute.providers.evidence import LARGEST
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import RingfenceError
from ringfence.storage.files import PRIVATE, write_whole

QUESTIONS = ("query-status", "query-chardev", "query-block", "query-uuid")
FACTS = {
    "processes": "ps -o pid,ppid,user,stat,rss,args",
    "sockets": "netstat -tuan 2>/dev/null",
    "mounts": "cat /proc/mounts",
}
SEPARATOR = "ringfence-separator"
LEAST_SECONDS = 0.3
CERTIFIED_SECONDS = 60


def kernel_words(spec: NodeSpec, attachment: Attachment) -> str:
    """Return the node's own part of the kernel command line."""
    words = {
        "name": spec.name,
        "address": f"{attachment.address}/{attachment.prefix}",
        "gateway": attachment.gateway,
        "processes": str(spec.processes),
    }
    return " ".join(f"ringfence.{name}={value}" for name, value in words.items())


def files(spec: NodeSpec, key: sshd.HostKey, ca_public: str) -> dict[str, tuple[int, bytes]]:
    """Return what lies in the machine's `/etc/ssh`, with the hash of the password where the node has one."""
    found = {name: (mode, text.encode()) for name, (mode, text) in sshd.files(spec, key, ca_public).items()}
    if spec.password is not None:
        found["password"] = (0o400, sshd.verify_hash(spec.password).encode())
    return found


def described(answers: Mapping[str, object]) -> str:
    """List the emulator's answers."""
    return "\n".join(f"{command}: {answer}" for command, answer in answers.items())


@contextmanager
def writer(log: Path, marker: str) -> Iterator[int]:
    """Start a log writer and give the end that is written to; it ends when nobody holds that any more."""
    reading, writing = os.pipe()
    try:
        qemu.detach(launcher.log_writer(log, marker), {}, stdin=reading)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


@dataclass(frozen=True, slots=True)
class Session:
    """An SSH session over one path, with a certificate of a minute and a key that nothing else knows."""

    node: NodeId
    endpoint: Endpoint
    authority: Authority

    def facts(self, scratch: Path, *, seconds: float) -> dict[str, bytes]:
        """Return the guest's facts; what could not be had says why in its place."""
        if seconds < LEAST_SECONDS:
            return dict.fromkeys(FACTS, b"not taken: the time was up")
        script = f"; echo {SEPARATOR}; ".join(FACTS.values())
        try:
            said = self.run(scratch, ["sh", "-c", script], seconds=seconds)
        except (OSError, RingfenceError, subprocess.SubprocessError) as error:
            why = "the guest did not answer in time" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            return dict.fromkeys(FACTS, f"not taken: {why}".encode())
        parts = said.split(f"{SEPARATOR}\n".encode())
        missing = [b"not taken: the guest did not say"] * len(FACTS)
        return {name: part[:LARGEST] for name, part in zip(FACTS, [*parts, *missing], strict=False)}

    def run(self, scratch: Path, command: list[str], *, seconds: float) -> bytes:
        """Return what a command prints."""
        deadline = time.monotonic() + seconds
        with tempfile.TemporaryDirectory(dir=scratch) as place:
            argv = self._command(Path(place), command)
            program = components.find("ssh")
            left = max(0.0, deadline - time.monotonic())
            done = subprocess.run(  # noqa: S603 -- an argument list, no shell on this side
                argv,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **program.environment, **_passed_on()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
            )
        failed = done.returncode != 0 and not done.stdout
        return b"not taken: " + done.stderr[:500] if failed else done.stdout

    def _command(self, place: Path, command: list[str]) -> list[str]:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        certificate = self.authority.certificate(
            public, principal=sshd.principal(self.node), seconds=CERTIFIED_SECONDS, serial=0
        )
        contents = {
            "key": private_bytes(key),
            "certificate": f"{certificate}\n".encode(),
            "known_hosts": sshkeys.known_hosts(self.node, self.endpoint.host_key).encode(),
        }
        for name, content in contents.items():
            write_whole(place / name, content, mode=PRIVATE, replace=False)
        named = sshkeys.Files(*(str(place / name) for name in contents))
        program = str(components.find("ssh").path)
        return sshkeys.command(program, self.node, self.endpoint, named, command)


def _passed_on() -> dict[str, str]:
    """Return where the unpacked programs are, for the command that ssh starts."""
    return {name: os.environ[name] for name in ("RINGFENCE_TOOLS",) if name in os.environ}
