"""Nodes for runs, without nodes: the node's end as a process of this machine; and one that answers what a test says."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ringfence.artifacts.model import DatasetId, DatasetName, Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.testing.artifacts import Counting, InMemory, MemoryVault, example, sealed_in_memory
from ringfence.testing.clock import START, FakeClock
from ringfence.workloads.runs.inputs import Sources
from ringfence.workloads.runs.model import (
    Base,
    Code,
    CodeKind,
    Difference,
    Ended,
    Entry,
    EntryKind,
    Input,
    InputPlace,
    Lock,
    Machine,
    Order,
    Outcome,
    Output,
    Outputs,
    Place,
    RunId,
    Trace,
)
from ringfence.workloads.runs.privacy import Privacy
from ringfence.workloads.runs.running import Bench

PYTHON = sys.executable
# What stands for ssh: when it is killed, the node's end sees the end of its input, as it would there.
RELAY = """
import os, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def forward():
    while data := os.read(0, 65536):
        child.stdin.write(data)
        child.stdin.flush()
    child.stdin.close()
threading.Thread(target=forward, daemon=True).start()
while data := child.stdout.read1(65536):
    os.write(1, data)
os._exit(child.wait())
"""
CONTENTS = {"a.csv": b"x,y\n1,2\n", "deep/b.bin": b"1" * 200_000}
DIGEST = Digest.of(b"made up")


def trace() -> Trace:
    """Return a run of which everything is known."""
    entry = Entry("train.py", EntryKind.FILE, DIGEST)
    return Trace(
        run=RunId("0123456789abcdef" * 2),
        order=Order(("python", "train.py"), ((DatasetName("claims"), None),), 7, (("TOKEN", "hidden"),)),
        place=Place("n-0123abcd", "namespace", "shared-kernel"),
        inputs=(Input(DatasetId("a" * 32), DatasetName("claims"), 1, DIGEST, DIGEST, DIGEST),),
        input_place=InputPlace.NODE_MEMORY,
        swappable=False,
        code=Code(CodeKind.GIT, "c" * 40, (entry,), (entry, Entry("b.sh", EntryKind.EXECUTABLE, DIGEST))),
        code_changed=False,
        lock=Lock("3.11.2", "linux-x86_64", (f"numpy==2.4.0 sha256:{'0' * 64}", "pip==25.0")),
        machine=Machine("A CPU", 2, 8192, ("nvidia:1",)),
        ended=Ended(Outcome.COMPLETED, 0),
        started_at=START,
        ended_at=START + timedelta(seconds=3),
        outputs=Outputs((Output("model.onnx", 5, DIGEST), Output("deep/log.txt", 0, Digest.of(b""))), 1),
        bases=(Base("base", Digest.of(b"base"), 2),),
        difference=Difference("--- a/train.py\n+++ b/train.py\n"),
        privacy=(Privacy("sequence", "dp-sgd", "rdp", "2.0", "1.1e-10", noiseMultiplier="0.614", steps=100_000),),
    )


@dataclass(slots=True)
class MemorySources:
    """`Access` and `Vaults` over one dataset that was sealed in memory; says which openings were recorded."""

    sealed: InMemory
    recorded: list[str] = field(default_factory=list)
    unpublished: bool = False

    def known(self) -> list[Sealed]:
        """Return the one dataset."""
        return [replace(example(), dataset=self.sealed.seal.dataset, seal=self.sealed.digest)]

    def request(self, name: DatasetName, code: str, epoch: int | None = None) -> Sealed:  # noqa: ARG002
        """Record an opening."""
        if self.unpublished:
            raise Unavailable("the opening was not published")
        self.recorded.append(f"{name} {code}")
        return self.known()[0]

    @contextmanager
    def vault(self, dataset: DatasetId, epoch: int) -> Iterator[MemoryVault]:
        """Open it."""
        del dataset, epoch
        yield self.sealed.vault


def bench(contents: Mapping[str, bytes] | None = None) -> tuple[Bench, MemorySources]:
    """Return a bench with the dataset `claims`, and what is recorded there."""
    held = MemorySources(sealed_in_memory(CONTENTS if contents is None else contents))
    sources = Sources(held, held, lambda: held.sealed.keyring)  # type: ignore[arg-type]  # it only opens
    return Bench(sources, FakeClock(), Counting(b"runs")), held


@dataclass(slots=True)
class LocalShell:
    """A `Shell` whose node is this machine: the real agent, the real pipes, no SSH."""

    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @contextmanager
    def session(self, argv: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        """Start the command here."""
        pipe, command = subprocess.PIPE, [PYTHON, "-I", "-S", "-c", RELAY, *argv]
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as process:  # noqa: S603
            self.processes.append(process)
            try:
                yield process
            finally:
                assert process.stdin is not None
                with suppress(OSError):
                    process.stdin.close()
                process.wait(timeout=30)


@dataclass(frozen=True, slots=True)
class ScriptedShell:
    """A `Shell` whose node sends the bytes that a test made up, and ends."""

    answer: bytes

    @contextmanager
    def session(self, argv: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        """Start a process that answers."""
        del argv
        script = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1])); sys.stdout.flush()"
        with LocalShell().session([PYTHON, "-I", "-S", "-c", script, self.answer.hex()]) as process:
            yield process
