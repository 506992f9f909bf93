"""Run a command on a node: inputs and code through SSH into its memory, outputs back through a strict reader."""

import importlib.resources
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from ringfence.artifacts.ports import Folder
from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable
from ringfence.workloads.runs import outputs, tarball
from ringfence.workloads.runs.frames import PROBE, STATUS, Frames, status
from ringfence.workloads.runs.model import MAX_OUTPUT_BYTES, MAX_OUTPUTS, Ended, Outcome, Outputs
from ringfence.workloads.runs.surroundings import INPUTS, OUTPUTS

RUNTIME = "/ringfence/bin/python"  # of nodes that were started with --runtime
FALLBACK = "python3"
INTERRUPT = b"i"
PATIENCE = 60.0  # seconds for the outputs of a command that was interrupted
Files = Iterable[tuple[str, int, bool, Iterator[bytes]]]


class Shell(Protocol):
    """A way to run one command on a node, its streams being pipes; it ends with the block."""

    def session(self, argv: Sequence[str]) -> "AbstractContextManager[subprocess.Popen[bytes]]":
        """Start the command."""
        ...


@dataclass(frozen=True, slots=True)
class VerbShell:
    """`ringfence node ssh`: a key of this moment, a certificate of minutes, the host key that was recorded."""

    node: str
    environment: Mapping[str, str]

    @contextmanager
    def session(self, argv: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        """Start the command."""
        command = [sys.executable, "-I", "-m", "ringfence", "node", "ssh", self.node, "--", *argv]
        pipe = subprocess.PIPE
        process = subprocess.Popen(  # noqa: S603 - our own
            command, stdin=pipe, stdout=pipe, env=dict(self.environment), start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(OSError):
                _pipe(process.stdin).close()  # the other end kills the command, removes everything, and ends
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
            with process:
                pass


@dataclass(frozen=True, slots=True)
class Plan:
    """What the node is asked to do."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str = ""
    python: str = RUNTIME
    most: int = MAX_OUTPUTS  # files that are taken back

    def line(self, *, with_inputs: bool) -> bytes:
        """Print it as the agent reads it."""
        places = {OUTPUTS: "outputs"} | ({INPUTS: "inputs"} if with_inputs else {})
        document: dict[str, Any] = {
            "argv": list(self.argv),
            "environment": dict(self.environment),
            "cwd": self.cwd,
            "places": places,
            "probe": source("probe"),
            "most": self.most,
        }
        return json.dumps(document).encode() + b"\n"


def source(module: str) -> str:
    """Return the text of a module that is sent to a node."""
    return (importlib.resources.files("ringfence.workloads.runs") / f"{module}.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a node."""

    report: bytes  # of the probe
    ended: Ended
    outputs: Outputs
    swappable: bool
    problem: str = ""  # why nothing is known of its end


@dataclass(slots=True)
class Remote:
    """One run on one node."""

    shell: Shell
    show: Callable[[bytes, bytes], None]
    _process: "subprocess.Popen[bytes] | None" = None
    _fed: bool = False
    _failure: list[RingfenceError | OSError] = field(default_factory=list)
    _patience: list[threading.Timer] = field(default_factory=list)

    def run(self, plan: Plan, files: Files, folder: Folder, *, with_inputs: bool) -> Answer:
        """Send, run, take back; what the node sends is believed of its own run only, and bounded.

        Raises:
            RingfenceError: what is sent cannot be read; nothing ran then.
        """
        with self.shell.session([plan.python, "-I", "-c", source("agent")]) as process:
            self._process = process
            feeder = threading.Thread(target=self._feed, args=(plan.line(with_inputs=with_inputs), files), daemon=True)
            feeder.start()
            try:
                return self._taken(Frames(_exactly(_pipe(process.stdout)), self.show), folder, plan.most)
            finally:
                for timer in self._patience:
                    timer.cancel()
                if feeder.is_alive():
                    process.kill()
                feeder.join(timeout=30)
                if self._failure and isinstance(self._failure[0], RingfenceError):
                    raise self._failure[0]

    def _feed(self, head: bytes, files: Files) -> None:
        """Write everything; where it cannot be read, end the session, so that nothing runs on half of it."""
        process = self._process
        if process is None:
            raise InternalError("a run is fed before it has a session")
        stream = _pipe(process.stdin)
        try:
            stream.write(head)
            for piece in tarball.written(files):
                stream.write(piece)
            stream.flush()
            self._fed = True
        except (RingfenceError, OSError) as error:
            self._failure.append(error)
            process.kill()

    def _taken(self, frames: Frames, folder: Folder, most: int) -> Answer:
        report = b""
        try:
            report = frames.expect(PROBE)
            files = outputs.take(frames.files, folder, tarball.Limits(most, MAX_OUTPUT_BYTES))
            frames.drain()
            last = status(frames.expect(STATUS))
        except (RingfenceError, OSError) as error:
            problem = f"nothing is known of the end of the run: {error}"
            return Answer(report, Ended(Outcome.LOST), Outputs(), swappable=True, problem=problem)
        return Answer(report, last.ended, Outputs(files, last.skipped), last.swappable)

    def interrupt(self, number: int) -> None:
        """Interrupt the command; before it has started, or where the node does not let go, end the session."""
        process = self._process
        if process is None:
            return
        if not self._fed or (number == signal.SIGKILL and self._patience):
            process.kill()
        elif number == signal.SIGKILL:  # the node's end does so by itself, and has outputs to send
            self._patience.append(threading.Timer(PATIENCE, process.kill))
            self._patience[0].daemon = True
            self._patience[0].start()
        else:
            with suppress(OSError, ValueError):
                stream = _pipe(process.stdin)
                stream.write(INTERRUPT)
                stream.flush()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise Unavailable("the session has no pipes")
    return stream


def _exactly(stream: IO[bytes]) -> tarball.Read:
    def read(size: int) -> bytes:
        found = bytearray()
        while len(found) < size and (piece := stream.read(size - len(found))):
            found += piece
        return bytes(found)

    return read
