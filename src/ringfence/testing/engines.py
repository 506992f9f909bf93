"""Nodes, loaders and tunnels of engines without any of them, and models that are signed, for tests.

lab = EngineLab(services)
model = signed_model(tmp_path / "model", {"weights.onnx": twice()})
lab.deploying.start(caller, wanted("small", model))
lab.shell.lie = "sha256:" + 64 * "0"      # from now on the loader says something else
"""

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from ringfence.artifacts.models import keys
from ringfence.artifacts.models.blobs import model_folder
from ringfence.artifacts.models.keys import SigningKey
from ringfence.artifacts.models.store import sign_folder
from ringfence.compute.model import Node, NodeClass
from ringfence.compute.service import Compute
from ringfence.gateway.model import Protocol, deployment_name
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.services import Services
from ringfence.testing.home import TENANT
from ringfence.testing.sandboxes import MemoryProvider
from ringfence.workloads.deploying import Deploying, Wanted
from ringfence.workloads.engine import frames
from ringfence.workloads.engine.frames import Answer
from ringfence.workloads.enginefile import EngineFiles
from ringfence.workloads.keeping import Keeping
from ringfence.workloads.shell import Finished
from ringfence.workloads.shipping import RECHECK
from ringfence.workloads.sockets import GatewaySockets
from ringfence.workloads.weights import Trusted


class NoEffects:
    """A world in which everything goes well."""

    def effect(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Let it happen."""
        return nullcontext()


@dataclass
class MemoryTunnel:
    """A socket that leads nowhere."""

    local: Path
    alive: bool = True
    closed: bool = False

    def close(self) -> None:
        """End it."""
        self.alive, self.closed = False, True
        self.local.unlink(missing_ok=True)


@dataclass
class MemoryShell:
    """A node on which every loader is good, unless it is told to lie or fail."""

    lie: str = ""  # what it says it measured
    problem: str = ""  # why it does not load
    silent: bool = False
    code: int = 0  # with which every command ends
    no_tunnel: RingfenceError | None = None
    commands: list[list[str]] = field(default_factory=list)
    loaded: list[bytes] = field(default_factory=list)
    tunnels: list[MemoryTunnel] = field(default_factory=list)
    now: bytes | None = None  # what its memory holds by now; None: what was loaded
    sealed: bool = True
    away: bool = False

    def run(self, argv: Sequence[str], *, stdin: Iterable[bytes] = (), timeout: float) -> Finished:  # noqa: ARG002
        """Run a command."""
        self.commands.append(list(argv))
        given = b"".join(stdin)
        if argv[3] == RECHECK:
            return self._recheck()
        return Finished(self.code, b"" if self.silent or not given else self._load(given), b"the last words\n")

    def _recheck(self) -> Finished:
        if self.away:
            raise Unavailable("the node does not answer")
        data = self.loaded[-1] if self.now is None else self.now
        measured = f"sha256:{hashlib.sha256(data).hexdigest()}" if data else ""
        said = {"measured": measured, "sealed": self.sealed, "bytes": len(data), "milliseconds": 1}
        return Finished(0, b"" if self.silent else json.dumps(said).encode(), b"")

    def _load(self, given: bytes) -> bytes:
        size, _, rest = given.partition(b"\n")
        line, _, model = rest[int(size) :].partition(b"\n")
        header = frames.header(line + b"\n")
        measured = self.lie or f"sha256:{hashlib.sha256(model).hexdigest()}"
        if self.problem:
            return frames.line(Answer(measured, loaded=False, because=self.problem))
        self.loaded.append(model)
        return frames.line(Answer(measured, True, 8080, 7, header.engine, "1.0"))  # noqa: FBT003

    def forward(self, local: Path, port: int) -> MemoryTunnel:
        """Make a socket."""
        if self.no_tunnel or not port:
            raise self.no_tunnel or Unavailable("no port")
        local.unlink(missing_ok=True)
        folder = os.open(local.parent, os.O_PATH | os.O_DIRECTORY)  # the folders of tests are too deep for an address
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(f"/proc/self/fd/{folder}/{local.name}")
        finally:
            os.close(folder)
        self.tunnels.append(MemoryTunnel(local))
        return self.tunnels[-1]


@dataclass
class EngineLab:
    """An installation whose nodes are in memory, and whose engines answer while `answers` holds."""

    services: Services
    shell: MemoryShell = field(default_factory=MemoryShell)
    answers: bool = True

    def __post_init__(self) -> None:
        before = self.services.cutoff.compute
        desk = replace(before.desk, providers={NodeClass.NAMESPACE: MemoryProvider(NoEffects())})
        containing = replace(before.containing, desk=desk)
        self.compute: Compute = replace(before, desk=desk, containing=containing, pause=lambda _seconds: None)
        home = self.services.home.path
        self.deploying = Deploying(
            Keeping(
                gateway=self.services.serving.gateway,
                compute=self.compute,
                files=EngineFiles(home / "engines"),
                sockets=GatewaySockets(home / "gateway"),
                shells=self._shell,
                ready=self._ready,
                tenants=lambda: [TENANT],
                clock=self.services.clock,
                jitter=lambda: 0.5,
            ),
            self.services.gates.admit,
            lambda _path: False,
        )

    @property
    def keeping(self) -> Keeping:
        """Return what looks after the engines."""
        return self.deploying.keeping

    def _shell(self, caller: Person, node: Node) -> MemoryShell:  # noqa: ARG002
        return self.shell

    def _ready(self, local: Path, protocol: Protocol) -> bool:  # noqa: ARG002
        return self.answers and local.is_socket()


def signing_key(number: int = 1) -> SigningKey:
    """Return a key for models."""
    return keys.from_scalar(number.to_bytes(32, "big"))


def signed_model(folder: Path, files: Mapping[str, bytes], key: SigningKey | None = None) -> Path:
    """Write a model's files and sign them."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with model_folder(folder) as opened:
        sign_folder(opened, folder, key or signing_key())
    return folder


def wanted(name: str, path: Path, **changes: object) -> Wanted:
    """Return what is to be served, signed with the first key."""
    made = Wanted(deployment_name(name), path, Trusted((signing_key().public,)))
    return replace(made, **changes)  # type: ignore[arg-type]


@cache
def twice() -> bytes:
    """Return a small ONNX model, written by hand: `output` is `input`, of shape [any, 2], plus itself."""
    node = _field(1, b"input") + _field(1, b"input") + _field(2, b"output") + _field(4, b"Add")
    graph = _field(1, node) + _field(2, b"twice") + _field(11, _value(b"input")) + _field(12, _value(b"output"))
    return _varint(1, 8) + _field(7, graph) + _field(8, _varint(2, 13))


def _value(name: bytes) -> bytes:
    shape = _field(1, _field(2, b"rows")) + _field(1, _varint(1, 2))
    tensor = _varint(1, 1) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, tensor))


def _varint(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _packed(value)


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _packed(len(data)) + data


def _packed(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
