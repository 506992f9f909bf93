"""The bytes of a model that an engine is to have: opened once; verified, scanned and shipped as one sealed file."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ringfence.artifacts.models import scan
from ringfence.artifacts.models.blobs import Opening, looked_at, verified
from ringfence.artifacts.models.keys import PublicKey
from ringfence.artifacts.models.model import SIGNATURE, Finding, Report, Verdict, Weight
from ringfence.gateway.model import Protocol
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Unavailable, UsageError, VerificationFailed
from ringfence.workloads.engine.frames import LLAMA, ONNX
from ringfence.workloads.engine.memory import SEALS

PIECE = 2**20
ENGINES = {".gguf": LLAMA, ".onnx": ONNX}
PACKAGES = {LLAMA: "xllamacpp", ONNX: "onnxruntime"}
PROTOCOLS = {LLAMA: Protocol.OPENAI, ONNX: Protocol.INFERENCE_V2}


@dataclass(frozen=True, slots=True)
class Trusted:
    """Why somebody believes in a model: keys that may sign it, or the digest that one file must have."""

    keys: tuple[PublicKey, ...] = ()
    pin: Digest | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """The verified file in memory; nobody can write to it any more."""

    name: str
    engine: str
    model: Digest  # of the signed manifest, or of the single file
    digest: Digest  # of the file's own bytes
    size: int
    descriptor: int

    def stream(self) -> Iterator[bytes]:
        """Yield the bytes."""
        offset = 0
        while piece := os.pread(self.descriptor, PIECE, offset):
            offset += len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class _Memory:
    """`artifacts.models.ports.Content` over the sealed file."""

    descriptor: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes."""
        return os.pread(self.descriptor, max(0, min(size, self.size - offset)), offset)


def engine_for(path: Path) -> str:
    """Return which engine serves what lies there; nothing is read but names.

    Raises:
        NotFound: nothing lies there.
        UsageError: it is not one model of a kind that an engine here serves.
    """
    with looked_at(path) as (names, _):
        return ENGINES[Path(_chosen(names)).suffix]


@contextmanager
def opened(path: Path, trusted: Trusted) -> Iterator[Weights]:
    """Open a signed model, or one file whose digest is pinned; it is what was signed, and its scan is clean.

    Raises:
        VerificationFailed: a byte is not what was signed or pinned, or the scan found something.
        NotFound: there is no model, or it is not signed.
    """
    found = _pinned(path, trusted.pin) if trusted.pin else _signed(path, trusted.keys)
    try:
        _check_scan(found)
        yield found
    finally:
        os.close(found.descriptor)


def _signed(path: Path, keys: Sequence[PublicKey]) -> Weights:
    if not keys:
        raise UsageError("say whose signature counts with --key, or pin a single file with --digest")
    with verified(path, keys) as model:
        name = _chosen(model.names())
        _check_others(path, name)
        digest = model.manifest.of(name)
        if digest is None:
            raise VerificationFailed(f"{name!r} is not among the files that were signed")
        held = model.memfd(name)
        return Weights(name, ENGINES[Path(name).suffix], model.digest, digest, os.fstat(held).st_size, held)


def _pinned(path: Path, pin: Digest) -> Weights:
    with looked_at(path) as (names, opening):
        name = _chosen(names)
        held, found = _copied(name, opening)
        if found != pin:
            os.close(held)
            raise VerificationFailed(f"{name!r} is {found}, and not what was pinned")
        return Weights(name, ENGINES[Path(name).suffix], found, found, os.fstat(held).st_size, held)


def _copied(name: str, opening: Opening) -> tuple[int, Digest]:
    held = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        hasher = hashlib.sha256()
        with opening(name) as content, os.fdopen(os.dup(held), "wb") as sink:
            for part in content.chunks():
                hasher.update(part)
                sink.write(part)
        fcntl.fcntl(held, fcntl.F_ADD_SEALS, SEALS)
    except BaseException:
        os.close(held)
        raise
    return held, Digest(hasher.digest())


def _chosen(names: Sequence[str]) -> str:
    found = [name for name in names if Path(name).suffix in ENGINES]
    if len(found) != 1:
        listed = ", ".join(found[:4]) or "none"
        raise UsageError(f"a model to serve holds exactly one .gguf or .onnx file; this one: {listed}")
    return found[0]


def _check_others(path: Path, name: str) -> None:
    """Scan what lies beside the weights; it goes nowhere, and is a sign of what the folder is."""
    with looked_at(path) as (names, opening):
        _refuse_findings(scan.scan([one for one in names if one not in {name, SIGNATURE}], opening))


def _check_scan(found: Weights) -> None:
    @contextmanager
    def only(_name: str) -> Iterator[_Memory]:
        yield _Memory(found.descriptor, found.size)

    _refuse_findings(scan.scan([found.name], only), alone=False)


def _refuse_findings(report: Report, *, alone: bool = True) -> None:
    if alone and not report.files:
        return
    if report.verdict is not Verdict.CLEAN:
        raise VerificationFailed(f"the scan says {report.verdict}: {_worst(report.all_findings)}")


def _worst(findings: Sequence[Finding]) -> str:
    heavy = [one.text for one in findings if one.weight is not Weight.NOTE]
    return heavy[0][:200] if heavy else "no file that is known here"


def check_installed(engine: str, *, find: Callable[[str], object] = find_spec) -> None:
    """Return where the engine's package is here, and so on every node with our runtime; raise `Unavailable`."""
    if find(PACKAGES[engine]) is None:
        raise Unavailable(f"{PACKAGES[engine]} is not installed: pip install 'ringfence[serve]'")


def threads_for(cpus_percent: int) -> int:
    """Return how many threads are worth their while in a node's share of processors.

    One processor is left to everything else. llama.cpp's threads wait for each other without sleeping: one that has
    to wait for its turn holds up all of them (two on two busy processors took 4 times the work, and twice as long).
    """
    if cpus_percent < 1:
        raise MalformedInput("a node has a share of the processors")
    return max(1, min((os.cpu_count() or 1) - 1, -(-cpus_percent // 100)))
