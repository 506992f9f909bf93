"""What goes into a virtual machine and what it says of itself; its words are evidence of what it said, no more."""

import os
import shlex
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ringfence.compute.model import NodeSpec
from ringfence.compute.providers import launcher, qemu, sshd
from ringfence.compute.providers.evidence import LARGEST
from ringfence.compute.providers.remote import Remote
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import RingfenceError

QUESTIONS = ("query-status", "query-chardev", "query-block", "query-uuid")
FACTS = {
    "processes": "ps -o pid,ppid,user,stat,rss,args",
    "sockets": "netstat -tuan 2>/dev/null",
    "mounts": "cat /proc/mounts",
}
SEPARATOR = "ringfence-separator"
LEAST_SECONDS = 0.3


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
def writer(log: Path, marker: str, *, messages: bool = False) -> Iterator[int]:
    """Start a log writer and give the end that is written to; it ends when nobody holds that any more.

    Args:
        log: the file.
        marker: finds the writer.
        messages: each write is one line, whatever line feeds are in it: what sshd says, not what a console prints.
    """
    reading, writing = _message_pair() if messages else os.pipe()
    try:
        qemu.detach(launcher.log_writer(log, marker), {}, stdin=reading)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


def _message_pair() -> tuple[int, int]:
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return first.detach(), second.detach()


def facts(way: Remote, *, seconds: float) -> dict[str, bytes]:
    """Return the guest's facts; what could not be had says why in its place."""
    if seconds < LEAST_SECONDS:
        return dict.fromkeys(FACTS, b"not taken: the time was up")
    deadline = time.monotonic() + seconds
    script = f"; echo {SEPARATOR}; ".join(FACTS.values())
    try:
        said = way.run(shlex.join(["sh", "-c", script]), seconds=seconds)
    except (OSError, RingfenceError) as error:
        why = "the guest did not answer in time" if time.monotonic() >= deadline else str(error)
        return dict.fromkeys(FACTS, f"not taken: {why}".encode())
    parts = [part.encode()[:LARGEST] for part in said.split(f"{SEPARATOR}\n")]
    missing = [b"not taken: the guest did not say"] * len(FACTS)
    return dict(zip(FACTS, [*parts, *missing], strict=False))
