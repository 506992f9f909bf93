"""The gateway as a process, with a folder of its own: keys, snapshot, journal.

with GatewayProcess(folder) as gateway:
    gateway.publish([api_key()], [deployment("small", engine.url)])
    gateway.url                      # http://127.0.0.1:…/v1 for the openai client
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ringfence.gateway import snapshot
from ringfence.gateway.model import ApiKey, Deployment
from ringfence.storage import keyfile
from ringfence.storage.files import write_whole
from ringfence.storage.signer import Ed25519Signer

PATIENCE = 30.0


@dataclass
class GatewayProcess:
    """The real process on a free port of loopback."""

    home: Path
    tune: Sequence[str] = ()
    more: Sequence[str] = ()  # arguments
    port: int = 0
    version: int = 0
    control: Ed25519Signer = field(default_factory=lambda: Ed25519Signer.from_seed(os.urandom(32)))
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def folder(self) -> Path:
        """Return the gateway's own folder."""
        return self.home / "gateway"

    @property
    def url(self) -> str:
        """Return the base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def prepare(self) -> None:
        """Lay out what `ringfence up` makes."""
        self.folder.mkdir(parents=True, mode=0o700)
        (self.home / "keys").mkdir(mode=0o700)
        keyfile.create(self.home / "keys" / "gateway.json", {"gateway": os.urandom(32)}, None)
        (self.folder / "control.pub").write_text(self.control.public_key.hex() + "\n")
        (self.folder / "origin.json").write_text(json.dumps({"log": "example.org/test", "demoTenants": []}))

    def publish(
        self,
        keys: Iterable[ApiKey] = (),
        deployments: Iterable[Deployment] = (),
        *,
        guard: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Write a snapshot; the process sees it within a moment."""
        self.version += 1
        at = at or datetime.fromtimestamp(time.time_ns() / 1e9, tz=UTC)
        made = snapshot.made(version=self.version, at=at, keys=tuple(keys), deployments=tuple(deployments), guard=guard)
        data = snapshot.to_bytes(made, self.control.private.sign, self.control.public_key)
        write_whole(self.folder / "snapshot.json", data)

    def __enter__(self) -> "GatewayProcess":
        """Start it, unless it was prepared before: then with what lies there."""
        if not self.folder.exists():
            self.prepare()
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it listens."""
        arguments = [sys.executable, "-I", "-m", "ringfence.gateway.hotpath", str(self.folder), "--port", "0"]
        arguments += [part for each in self.tune for part in ("--tune", each)] + list(self.more)
        with (self.home / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own program
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"LC_ALL": "C.UTF-8", **{k: v for k, v in os.environ.items() if k == "SSL_CERT_FILE"}},
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else b""
        assert line, f"the gateway did not start: {self.log()}"
        self.port = json.loads(line)["port"]

    def log(self) -> str:
        """Return what it wrote to its standard error."""
        return (self.home / "gateway.log").read_text()

    def accesses(self, count: int) -> list[dict[str, Any]]:
        """Wait until that many access records are there; return all."""
        path = self.folder / "access.log"
        until = time.monotonic() + PATIENCE
        while True:
            lines = path.read_bytes().splitlines() if path.exists() else []
            if len(lines) >= count or time.monotonic() > until:
                return [json.loads(each) for each in lines]
            time.sleep(0.05)

    def talk(self, *pieces: bytes, pause: float = 0.0, shut: bool = False) -> bytes:
        """Send raw bytes on a new connection; return everything that comes back until it is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(65536):
                received += data
            return received

    def stop(self, *, kill: bool = False) -> int:
        """End it; return its exit code."""
        if self.process is None:
            return 0
        (self.process.kill if kill else self.process.terminate)()
        code = self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()
