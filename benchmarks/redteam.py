"""The red team's runner against an endpoint in another process, and the verification of a run of 10,000 attempts."""

import asyncio
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from measurement import Row, timed

from ringfence.redteam import blobs, pack, suites
from ringfence.redteam.document import plan_bytes
from ringfence.redteam.evaluate import draw
from ringfence.redteam.runner.address import Address
from ringfence.redteam.runner.working import Limits, carry_out
from ringfence.redteam.verifying import verified
from ringfence.testing import redteam as lab

CORPUS = suites.corpus("injection")
ATTEMPTS, SLOW, VERIFIED = 3000, 800, 10_000
WORKERS, DELAY = 16, 0.2
REPEATS = 3
SERVER = (
    "from ringfence.testing import redteam as lab\n"
    "with lab.endpoint(lab.slowly(lab.HARDENED, {delay})) as there:\n"
    "    print(there.address, flush=True)\n"
    "    input()\n"
)
# The peer, in its own interpreter: one sample per request, scored by a string, as a user of it would write.
INSPECT = (
    "import os, sys, time\n"
    "from inspect_ai import Task, eval\n"
    "from inspect_ai.dataset import Sample\n"
    "from inspect_ai.scorer import includes\n"
    "from inspect_ai.solver import generate\n"
    "os.environ |= dict(OPENAI_API_KEY='x', OPENAI_BASE_URL=sys.argv[1], INSPECT_LOG_DIR=sys.argv[2])\n"
    "samples = [Sample(input=f'attack {{n}}', target='no') for n in range({number})]\n"
    "began, cpu = time.perf_counter(), time.process_time()\n"
    "eval(Task(dataset=samples, solver=generate(), scorer=includes()), model='openai/m', max_connections={workers},\n"
    "     display='none')\n"
    "print((time.perf_counter() - began) / {number} * 1000, (time.process_time() - cpu) / {number} * 1000)\n"
)


@contextmanager
def _endpoint(delay: float) -> Iterator[str]:
    command = [sys.executable, "-c", SERVER.format(delay=delay)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        yield child.stdout.readline().strip()
    finally:
        child.communicate("\n")


def _run(address: str, number: int, workers: int) -> tuple[float, float]:
    """Carry out attempts with the whole journal; return milliseconds of wall and of CPU for each."""
    plan = lab.plan(CORPUS, number, endpoint=f"{address}/chat/completions")
    asked = draw(pack.parse(CORPUS), plan).by_journal["target"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        blobs.create(folder, plan_bytes(plan), CORPUS)
        with blobs.opened(folder, "target", plan_bytes(plan)) as written:
            began, cpu = time.perf_counter(), time.process_time()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                loop.run(carry_out(plan, asked, Address.of(plan.endpoint), Limits(workers=workers), written))
            took, spent = time.perf_counter() - began, time.process_time() - cpu
        assert len(written.records) == len(asked)
    return took / len(asked) * 1000, spent / len(asked) * 1000


def _inspect(address: str) -> tuple[list[float], list[float]]:
    """Return the peer's wall and CPU per attempt; nothing where it is not installed."""
    if importlib.util.find_spec("inspect_ai") is None:
        return [], []
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", INSPECT.format(number=300, workers=WORKERS), address, place]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, cpu = map(float, done.stdout.split()[-2:])
    return [wall], [cpu]


def _verify(address: str) -> list[float]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        lab.run_in(folder, CORPUS, address, VERIFIED, Limits(workers=WORKERS))
        files = blobs.files(folder)
    assert verified(files).problems == []
    return [timed(lambda: verified(files)) for _ in range(REPEATS)]


def measure() -> list[Row]:
    """Measure the runner at 0 and 200 ms, and verification."""
    with _endpoint(0) as address:
        fast = [_run(address, ATTEMPTS, WORKERS) for _ in range(REPEATS)]
        wall, cpu = _inspect(address)
        checks = _verify(address)
    with _endpoint(DELAY) as address:
        slow = [_run(address, SLOW, WORKERS)[0] for _ in range(2)]
    peer = "inspect-ai" if wall else ""
    missing = "" if wall else "inspect-ai is not installed: measured alone"
    what = f"red-team attempt, 0 ms endpoint, {WORKERS} workers"
    ideal = DELAY / WORKERS * 1000
    return [
        Row(what, ">= 150/s", [w for w, _ in fast], "ms", peer, wall, limit=1000 / 150, note=missing),
        Row(f"{what}, CPU", "<= 5 ms", [c for _, c in fast], "ms CPU", peer, cpu, limit=5.0),
        Row(f"red-team attempt, 200 ms endpoint, {WORKERS} workers", ">= 85 % of ideal", slow, "ms", "ideal", [ideal],
            least_ratio=0.85),
        Row(f"verify a run of {VERIFIED} attempts", "< 5 s", checks, "ms", limit=5000.0),
    ]  # fmt: skip
