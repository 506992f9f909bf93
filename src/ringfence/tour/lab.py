"""The lab of the attack: a running installation, a stranger on the outside, a neighbour that must not notice."""

import ctypes
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.fabric.client import Fabric
from ringfence.frontends.client import SOCKET, listening
from ringfence.kernel.errors import RingfenceError, Unavailable, VerificationFailed
from ringfence.storage.files import PRIVATE, write_whole

PATIENCE = 60.0  # seconds for anything that should take one
ECHO_EVERY = 0.02  # seconds between two lines of the neighbour's stream


def until(found: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Ask again until there is an answer; raise `VerificationFailed` where none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.05)
    raise VerificationFailed(f"{what} did not happen within {seconds:.0f} s")


@contextmanager
def installation(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `ringfence up` for a home; its loops watch the nodes while the block runs."""
    environment = {**os.environ, "RINGFENCE_HOME": str(home)}
    environment.pop("RINGFENCE_URL", None)
    command = [sys.executable, "-I", "-m", "ringfence", "up", "--port", "0", "--gateway-port", "0"]
    path = home / "up.log"
    path.touch(mode=PRIVATE)  # the one-time link stands in it
    with path.open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        until(lambda: process.poll() is not None or listening(home / SOCKET), "`ringfence up`")
        if process.poll() is not None:
            raise Unavailable(f"`ringfence up` ended at once; see {path}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def hashed(password: str) -> str:
    """Return the salted SHA-512 crypt(3) hash of a password."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    found: bytes | None = library.crypt(password.encode(), f"$6${secrets.token_hex(8)}$".encode())
    if not found or not found.startswith(b"$6$"):
        raise Unavailable("this machine's libcrypt has no SHA-512; a node with a password cannot be made")
    return found.decode()


def password_file(folder: Path, password: str) -> Path:
    """Write the hash of a password where only its owner reads it."""
    file = folder / "password.hash"
    write_whole(file, f"{hashed(password)}\n".encode(), mode=PRIVATE)
    return file


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, wait for it, and close our ends of its pipes."""
    with process:
        process.kill()


@dataclass(slots=True)
class Stranger:
    """Somebody on the outside network, in a network namespace of their own."""

    fabric: Fabric
    name: str
    address: str
    work: Path
    _process: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> "Stranger":
        self._askpass()  # now: where the disk is filled later, it could not be written any more
        prefix = [*self.fabric.child_prefix(), str(components.find("unshare").path), "--net", "--"]
        waiting = "import sys; sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"
        command = [*prefix, sys.executable, "-I", "-c", waiting]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe)  # noqa: S603 - ours
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
        self._process.stdout.read(1)  # it is in its namespace now
        try:
            self.fabric.attach_outside(self.name, pid=self._process.pid, address=self.address)
        except RingfenceError:
            _end(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.fabric.detach(self.name)
        if self._process is not None:
            _end(self._process)

    def log_in(
        self, host: str, password: str, *command: str, seconds: float = 20.0
    ) -> "subprocess.CompletedProcess[bytes]":
        """Try a password at a node, and run a command there where it opens."""
        environment = self._typing(self._askpass(), LAB_PASSWORD=password)
        return self._tried(self._ssh("none", 1, f"ringfence@{host}", *command), environment, seconds)

    def _ssh(self, config: str, prompts: int, *target: str) -> list[str]:
        options = {
            "ConnectTimeout": "5",
            "LogLevel": "ERROR",
            "NumberOfPasswordPrompts": str(prompts),
            "PreferredAuthentications": "password",
            "PubkeyAuthentication": "no",
            "ServerAliveCountMax": "2",
            "ServerAliveInterval": "1",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return [*self._inside(), str(components.find("ssh").path), "-F", config, *words, *target]

    def _typing(self, script: Path, **more: str) -> dict[str, str]:
        """Return the environment in which ssh asks a script for passwords."""
        asks = {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
        kept = {"HOME": str(self.work), "PATH": os.environ.get("PATH", "")}
        return {**components.find("ssh").environment, **kept, **asks, **more}

    def _tried(
        self, command: list[str], environment: Mapping[str, str], seconds: float
    ) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(  # noqa: S603 - ours
                command, check=False, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(command, 255, error.stdout or b"", b"no answer any more")

    def _inside(self) -> list[str]:
        assert self._process is not None  # noqa: S101 - entered by `with`
        place = f"/proc/{self._process.pid}/ns"
        user = [f"--user={place}/user", "--preserve-credentials"] if self.fabric.child_prefix() else []
        return [str(components.find("nsenter").path), *user, f"--net={place}/net", "--"]

    def _askpass(self) -> Path:
        return self._script("askpass", "printf '%s\\n' \"$LAB_PASSWORD\"")

    def _script(self, name: str, text: str) -> Path:
        script = self.work / name
        if not script.exists():
            script.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
            script.chmod(0o700)
        return script


@dataclass(slots=True)
class Neighbour:
    """An open session on another node: numbered lines that come back, while the node beside it is cut off."""

    command: list[str]
    environment: Mapping[str, str]
    sent: int = 0
    echoed: int = 0
    longest: float = 0.0
    _process: "subprocess.Popen[bytes] | None" = None
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Neighbour":
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self.command, env=dict(self.environment), stdin=pipe, stdout=pipe)  # noqa: S603 - ours
        self._threads = [threading.Thread(target=turn, daemon=True) for turn in (self._speak, self._listen)]
        for thread in self._threads:
            thread.start()
        try:
            until(lambda: self.echoed > 0, "the neighbour's first line")
        except VerificationFailed:
            self.__exit__()
            raise
        return self

    def _speak(self) -> None:
        stream = self._process.stdin if self._process else None
        while stream is not None and not self._stopped.wait(ECHO_EVERY):
            stream.write(f"{self.sent}\n".encode())
            stream.flush()
            self.sent += 1
        if stream is not None:
            stream.close()

    def _listen(self) -> None:
        stream, last = (self._process.stdout if self._process else None), 0.0
        for line in stream or ():
            now = time.monotonic()
            self.longest = max(self.longest, now - last if last else 0.0)
            last, expected = now, self.echoed
            if int(line) != expected:
                return  # a line is missing: the counts show it
            self.echoed += 1

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
        if self._process is not None:
            _end(self._process)
