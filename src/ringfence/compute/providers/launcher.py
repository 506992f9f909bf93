"""Start a sandbox through the launcher program, step by step, with its caller's part in between."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ringfence.compute.providers import launch, logpipe
from ringfence.kernel.errors import InternalError, Unavailable

SECONDS = 10.0  # for each answer; far more than any takes
LARGEST = 64 * 1024
_WRITER = str(Path(logpipe.__file__))


@dataclass(frozen=True, slots=True)
class Plan:
    """What the launcher is to do; it reads exactly these fields."""

    stage: str
    sources: dict[str, str]
    argv: list[str]
    files: dict[str, tuple[int, str]]
    last: list[str]
    environment: dict[str, str]
    writer: list[str]
    groups: list[str]
    rlimits: dict[str, int]
    uid: int | None


def python(program: Path, *arguments: str) -> list[str]:
    """Return the command of a program of ours that needs the standard library only: no site, so that it starts fast."""
    return [sys.executable, "-I", "-S", str(program), *arguments]


def is_log_writer(command: bytes) -> bool:
    """Say whether a command line is that of a log writer."""
    return _WRITER.encode() in command.split(b"\0")


def log_writer(log: Path, marker: str) -> list[str]:
    """Return the command of a node's log writer; it gives the log's name, so that it can be found."""
    return python(Path(_WRITER), str(log), marker)


def start(plan: Plan, *, prefix: Sequence[str], marker: str, prepared: Callable[[int], None]) -> int:
    """Start a sandbox; call `prepared` with its pid when its network exists and before anything of it runs.

    Returns:
        The pid of its first process.

    Raises:
        Unavailable: it did not start; nothing of it is left but what `prepared` made.
    """
    command = [*prefix, *python(Path(launch.__file__), marker)]
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"LC_ALL": "C.UTF-8"})  # noqa: S603
    except OSError as error:
        raise Unavailable(f"the launcher of the node does not start: {error.strerror}") from error
    with child:  # it leaves at once; what it left behind is the node, and keeps the pipes
        if child.stdin is None or child.stdout is None:
            raise InternalError("pipes were asked for")
        return _converse(plan, child.stdin.fileno(), child.stdout.fileno(), prepared)


def _converse(plan: Plan, to: int, answers: int, prepared: Callable[[int], None]) -> int:
    _send(to, json.dumps(asdict(plan)).encode() + b"\n")
    prepared(_field(_answer(answers), "pid"))
    _send(to, b"go\n")
    return _field(_answer(answers), "child-pid")


def _send(to: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(to, data) :]
    except OSError as error:
        raise Unavailable("the launcher of the node ended before it began") from error


def _answer(answers: int) -> dict[str, object]:
    """Read one JSON object, over as many lines as it has."""
    data, deadline = b"", time.monotonic() + SECONDS
    while len(data) < LARGEST and select.select([answers], [], [], max(0.0, deadline - time.monotonic()))[0]:
        piece = os.read(answers, 4096)
        if not piece:
            break
        data += piece
        try:
            found = json.loads(data)
        except ValueError:
            continue
        return found if isinstance(found, dict) else {}
    return {}


def _field(answer: dict[str, object], name: str) -> int:
    value = answer.get(name)
    if isinstance(value, int):
        return value
    raise Unavailable(f"the sandbox does not start: {answer.get('error', 'its log says why')}")
