"""`ringfence run`: gather what goes in, run the command, digest what comes out; stating it is the caller's."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput, Unavailable, UsageError
from ringfence.storage.files import read_bounded
from ringfence.workloads.runs import bases, code, here, inputs, outputs, privacy, remote, surroundings, surveying
from ringfence.workloads.runs.code import Parcel
from ringfence.workloads.runs.frames import SAID
from ringfence.workloads.runs.inputs import Opened, Sources
from ringfence.workloads.runs.model import (
    MAX_OUTPUTS,
    Code,
    Ended,
    InputPlace,
    Lock,
    Machine,
    Order,
    Outcome,
    Outputs,
    Place,
    RunId,
    Trace,
)
from ringfence.workloads.runs.privacy import Privacy
from ringfence.workloads.runs.provenance import SUFFIX

NOT_SENT = "a base model is not sent to a node; seal it with `ringfence dataset seal`, and name that"
GRACE = 5.0  # seconds between the polite and the other signal
PROBE_SECONDS = 60
_PYTHON = re.compile(r"python[0-9.]*")  # no script that is named after it: it would run twice
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptible(Protocol):
    """What a signal to us is passed on to."""

    def interrupt(self, number: int) -> None:
        """Send a signal to the command."""
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """What every run needs from outside."""

    sources: Sources
    clock: Clock
    random: Callable[[int], bytes]

    def new_id(self) -> RunId:
        """Make the name of a run."""
        return RunId(self.random(16).hex())


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a person stands, and where outputs go."""

    cwd: Path
    out: Path | None
    environment: Mapping[str, str]
    quiet: bool = False  # standard output is for a document
    private: bool = True  # try for a mount namespace
    diff: bool = True  # keep the text of what differs from the commit
    privacy: Path | None = None  # the file that claims something about privacy

    @property
    def besides(self) -> tuple[Path, ...]:
        """Return what the run itself writes."""
        return () if self.out is None else (self.out, provenance_beside(self.out))


@dataclass(frozen=True, slots=True)
class Host:
    """A node that is ready for a run."""

    place: Place
    shell: remote.Shell
    python: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended, and what should be said to the person."""

    trace: Trace
    notes: tuple[str, ...] = ()


def provenance_beside(out: Path) -> Path:
    """Return where the provenance of a folder goes: beside it, since in it a signature of the folder would cover it."""
    return out.with_name(out.name + SUFFIX)


def run_here(bench: Bench, order: Order, setting: Setting) -> Ran:
    """Run a command on this machine."""

    def look() -> Code:
        return code.look(setting.cwd, order.code, order.command, setting.besides)

    before = look()
    if setting.out is not None:
        outputs.prepare(setting.out)
    started_from = bases.digested(setting.cwd, order.bases)
    differs = code.difference(setting.cwd, order.code, keep=setting.diff)
    with ExitStack() as stack:
        opened = inputs.open_all(bench.sources, order, stack)
        chamber = stack.enter_context(here.chamber(private=setting.private, quiet=setting.quiet))
        inputs.write(opened, chamber.folder)
        places = {"inputs": chamber.path if opened else "", "outputs": str(setting.out or "")}
        places["bases"] = ":".join(str((setting.cwd / base).absolute()) for base in order.bases)
        environment = surroundings.given(order, setting.environment, **places)
        lock, machine = survey(order, environment, setting.cwd)
        started = bench.clock.now()
        with passing_on(chamber):
            ended = chamber.run(order.command, cwd=setting.cwd, environment=environment)
    shared = bool(opened) and chamber.place is InputPlace.SHARED_MEMORY
    trace = Trace(
        run=bench.new_id(),
        order=order,
        place=Place(),
        inputs=tuple(dataset.input for dataset in opened),
        input_place=chamber.place if opened else InputPlace.NONE,
        swappable=bool(opened) and chamber.swappable,
        code=before,
        code_changed=look() != before,
        lock=lock,
        machine=machine,
        ended=ended,
        started_at=started,
        ended_at=bench.clock.now(),
        outputs=outputs.read(setting.out) if setting.out else Outputs(),
        bases=started_from,
        base_changed=bases.digested(setting.cwd, order.bases) != started_from,
        difference=differs,
        privacy=_privacy(setting),
    )
    note = f"the inputs were in shared memory, which your own processes can read: {chamber.because}"
    return Ran(trace, (*((note,) if shared else ()), *_unclaimed(setting, trace)))


def run_there(bench: Bench, order: Order, setting: Setting, host: Host) -> Ran:
    """Run a command on a node; raise `UsageError` where a base model is named, which is not sent there."""
    if order.bases:
        raise UsageError(NOT_SENT)
    parcel = code.pack(setting.cwd, order.code, order.command, setting.besides)
    with ExitStack() as stack:
        out = setting.out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringfence-unwanted-")))
        outputs.prepare(out)
        opened = inputs.open_all(bench.sources, order, stack)
        folder = stack.enter_context(outputs.opened(out))
        given = surroundings.given(order, {}, inputs="", outputs="")
        most = MAX_OUTPUTS if setting.out else 0  # what nobody asked for stays there, and is counted
        plan = remote.Plan(order.command, given, parcel.cwd, host.python, most)
        session = remote.Remote(host.shell, _shown(quiet=setting.quiet))
        started = bench.clock.now()
        with passing_on(session):
            answer = session.run(plan, _sent(opened, parcel), folder, with_inputs=bool(opened))
        lock, machine, problem = _read(answer)
        if problem:
            outputs.clear(out)
    trace = Trace(
        run=bench.new_id(),
        order=order,
        place=host.place,
        inputs=tuple(dataset.input for dataset in opened),
        input_place=InputPlace.NODE_MEMORY if opened else InputPlace.NONE,
        swappable=bool(opened) and answer.swappable,
        code=parcel.code,
        code_changed=False,  # the bytes that were sent are the bytes that are named
        lock=lock,
        machine=machine,
        ended=Ended(Outcome.LOST) if problem else answer.ended,
        started_at=started,
        ended_at=bench.clock.now(),
        outputs=Outputs() if problem else answer.outputs,
        difference=code.difference(setting.cwd, order.code, keep=setting.diff),
        privacy=() if problem else _privacy(setting),
    )
    return Ran(trace, (*((problem,) if problem else ()), *_unclaimed(setting, trace)))


def _unclaimed(setting: Setting, trace: Trace) -> tuple[str, ...]:
    silent = setting.privacy is not None and not trace.privacy
    return (f"nothing is claimed about privacy: there is no {setting.privacy}",) if silent else ()


def _privacy(setting: Setting) -> tuple[Privacy, ...]:
    """Read what the command, or whoever ran it, claims of its privacy; without the file nothing is claimed."""
    if setting.privacy is None or not setting.privacy.exists():
        return ()
    return privacy.read(read_bounded(setting.privacy, limit=privacy.MAX_FILE), source=str(setting.privacy))


def _sent(opened: tuple[Opened, ...], parcel: Parcel) -> remote.Files:
    yield from inputs.streams(opened)
    for path, executable, data in parcel.files:
        yield f"code/{path}", len(data), executable, iter([data])


def _read(answer: remote.Answer) -> tuple[Lock, Machine, str]:
    """Read what the node says of itself; where that is nonsense, nothing is believed."""
    if answer.problem:
        return Lock(), Machine(), answer.problem
    try:
        return *surveying.read(answer.report, source="node"), ""
    except MalformedInput as error:
        return Lock(), Machine(), f"nothing is known of the end of the run: {error}"


def _shown(*, quiet: bool) -> Callable[[bytes, bytes], None]:
    def show(kind: bytes, data: bytes) -> None:
        descriptor, rest = (2 if quiet or kind == SAID else 1), memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return show


def survey(order: Order, environment: Mapping[str, str], cwd: Path) -> tuple[Lock, Machine]:
    """Ask the Python that the command will find what it has; nothing where there is none."""
    python = _python(order.command[0], environment.get("PATH", os.defpath), cwd)
    if python is None:
        return Lock(), Machine()
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the person is about to run
            [python, "-I", "-c", remote.source("probe")],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
        return surveying.read(done.stdout, source=python)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{python} does not say which packages it has: {error}") from error


def _python(program: str, path: str, cwd: Path) -> str | None:
    if _PYTHON.fullmatch(Path(program).name):
        return str(cwd / program) if "/" in program else shutil.which(program, path=path)
    return shutil.which("python3", path=path) or shutil.which("python", path=path)


@contextmanager
def passing_on(target: Interruptible) -> Iterator[None]:
    """Pass signals to us on to the command, politely first; without this, its inputs would outlive nobody either."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a program that embeds us keeps its own handlers
        return
    timers: list[threading.Timer] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        target.interrupt(number if not timers else signal.SIGKILL)
        timer = threading.Timer(GRACE, target.interrupt, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()
        timers.append(timer)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):
                signal.signal(number, handler)
        for timer in timers:
            timer.cancel()
