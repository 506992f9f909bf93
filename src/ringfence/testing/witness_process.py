"""A witness as a process of its own, as another organisation runs one."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ringfence.testing.program import COMMAND, environment


@dataclass(slots=True)
class WitnessProcess:
    """A running witness: where it answers, and its verifier keys."""

    child: "subprocess.Popen[str]"
    url: str
    vkeys: tuple[str, ...]

    def submit(self, body: str) -> httpx.Response:
        """Submit a head."""
        return httpx.post(f"{self.url}/add-checkpoint", content=body.encode(), trust_env=False, timeout=20)

    def kill(self) -> None:
        """End it at once: it can do nothing about it."""
        self.child.send_signal(signal.SIGKILL)
        self.child.communicate(timeout=20)


def start(folder: Path, vkeys: Sequence[str], name: str = "witness.example/w1") -> WitnessProcess:
    """Start a witness over a folder; return once it takes connections."""
    logs = [part for vkey in vkeys for part in ("--log", vkey)]
    command = [*COMMAND, "ledger", "witness", "--name", name, "--folder", str(folder), "--port", "0", *logs]
    child = subprocess.Popen(command, env=environment({}), stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert child.stderr is not None
    said: list[str] = []
    for line in child.stderr:
        said.append(line)
        if line.startswith("witness "):
            own = tuple(each.split()[1] for each in said if each.startswith("vkey "))
            return WitnessProcess(child, line.split()[1], own)
    child.communicate(timeout=20)
    raise AssertionError("".join(said))


@contextmanager
def running(folder: Path, vkeys: Sequence[str], name: str = "witness.example/w1") -> Iterator[WitnessProcess]:
    """Run a witness while the block runs."""
    witness = start(folder, vkeys, name)
    try:
        yield witness
    finally:
        if witness.child.poll() is None:
            witness.child.terminate()
            witness.child.communicate(timeout=20)
