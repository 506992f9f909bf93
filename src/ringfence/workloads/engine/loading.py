"""Receive a model, compare, and become its engine: what runs inside the node."""

import os
import signal
import sys
from typing import BinaryIO

from ringfence.workloads.engine import frames, memory
from ringfence.workloads.engine.frames import LLAMA, Answer, BadFrame, Header

FAILED = 3  # the exit code where no engine serves; the answer says why


def main() -> None:
    """Read header and model from standard input, answer on standard output, and leave the engine behind."""
    answer = load(sys.stdin.buffer)
    sys.stdout.buffer.write(frames.line(answer))
    sys.stdout.buffer.flush()
    os._exit(0 if answer.loaded else FAILED)


def load(stream: BinaryIO) -> Answer:
    """Return what became of the model on the stream; nothing is started where a byte of it is not as it should be."""
    try:
        header = frames.header(stream.readline(frames.LONGEST + 1))
        held, measured = memory.receive(stream, header.size)
    except (BadFrame, memory.Shortened, OSError) as problem:
        return Answer("", False, because=str(problem))  # noqa: FBT003 - not loaded
    if measured != header.digest:
        return Answer(measured, False, because="these are not the bytes that were announced")  # noqa: FBT003
    return _started(header, held, measured)


def _started(header: Header, held: int, measured: str) -> Answer:
    """Let a process of its own load the model and serve; return what it says once it listens."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _detach()
        _become(header, held, measured, writing)
    os.close(writing)
    os.close(held)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.readline(frames.LONGEST + 1)
    try:
        return frames.answer(said)
    except BadFrame:
        return Answer(measured, False, because="the engine ended while it loaded the model")  # noqa: FBT003


def _detach() -> None:
    """Leave the session that started us, and everything that it reads or shows."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir("/")


def _become(header: Header, held: int, measured: str, answers: int) -> None:
    """Serve until the end of the process; say so, or why not, first."""
    try:
        keep, port, release = _engine(header, held)
        answer = Answer(measured, True, port, os.getpid(), header.engine, release)  # noqa: FBT003 - loaded
    except BaseException as problem:  # noqa: BLE001 - whatever it is, somebody waits for the answer
        os.write(answers, frames.line(Answer(measured, False, because=_sentence(problem))))  # noqa: FBT003
        os._exit(FAILED)
    os.write(answers, frames.line(answer))
    os.close(answers)
    while keep is not None:
        signal.pause()


def _engine(header: Header, held: int) -> tuple[object, int, str]:
    if header.engine == LLAMA:
        from ringfence.workloads.engine import llama

        return llama.serve(header, memory.path(held))
    return _inference(header, held)


def _inference(header: Header, held: int) -> tuple[object, int, str]:
    import threading

    from ringfence.workloads.engine import ort
    from ringfence.workloads.engine.inference import Served
    from ringfence.workloads.engine.listening import Server

    runner, release = ort.load(header, memory.content(held))  # `held` stays open: what it holds is hashed again
    server = Server(Served(header.name, release, runner))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, server.port, release


def _sentence(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0] if lines else ''}"[: frames.SENTENCE]
