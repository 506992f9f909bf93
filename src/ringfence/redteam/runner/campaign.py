"""A run from start to end: both dummies over loopback, then the endpoint, then what was found."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.redteam import blobs, pack
from ringfence.redteam.document import Kept, plan_bytes, run_bytes
from ringfence.redteam.dummies import DUMMIES, Reply, obeying
from ringfence.redteam.evaluate import DUMMIES as DUMMY_NAMES
from ringfence.redteam.evaluate import PACK, TARGET, Drawn, draw, evaluated
from ringfence.redteam.model import Condition, Plan
from ringfence.redteam.render import rendered
from ringfence.redteam.runner.address import Address, endpoint
from ringfence.redteam.runner.serving import HOST, served, speaking
from ringfence.redteam.runner.working import Limits, carry_out

CONTROL_LIMITS = Limits(workers=8, timeout=30.0)
Progress = Callable[[str], None]


def start(folder: Path, plan: Plan, corpus: bytes) -> None:
    """Make the folder of a new run: from here on it can be resumed."""
    blobs.create(folder, plan_bytes(plan), corpus)


def go_on(folder: Path, key: str, limits: Limits, say: Progress) -> tuple[Plan, dict[str, Any]]:
    """Carry out what a run's folder leaves open; return its plan and what it found."""
    told, plan = blobs.planned(folder)
    corpus = pack.parse(blobs.read(folder, PACK, pack.MAX_PACK), source=str(folder / PACK))
    if corpus.digest != plan.pack:
        raise Unavailable(f"{folder / PACK} is not the pack that this run was planned with")
    # The folder may come from somebody else: what its plan names must be what --endpoint would take.
    address = Address.of(endpoint(plan.endpoint, plan.protocol)[0], key)
    with blobs.locked(folder):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            found = loop.run(_run(folder, told, draw(corpus, plan), address, limits, say))
        blobs.write_run(folder, run_bytes(found))
    return plan, found


async def _run(
    folder: Path, told: bytes, drawn: Drawn, address: Address, limits: Limits, say: Progress
) -> dict[str, Any]:
    kept: dict[str, Kept] = {}
    for name in DUMMY_NAMES:
        async with served(speaking(_dummy(name, drawn))) as port:
            there = Address.of(endpoint(f"http://{HOST}:{port}", drawn.plan.protocol)[0])
            kept[name] = await _journal(folder, told, drawn, name, there, CONTROL_LIMITS)
    say(f"controls      {len(kept[DUMMY_NAMES[0]].records)} requests to each dummy")
    most = len(drawn.by_journal[TARGET])
    say(f"endpoint      {most} requests, one line of the journal each: what was answered is kept when you stop")
    kept[TARGET] = await _journal(folder, told, drawn, TARGET, address, limits)
    return evaluated(drawn, kept)


async def _journal(folder: Path, told: bytes, drawn: Drawn, name: str, address: Address, limits: Limits) -> Kept:
    with blobs.opened(folder, name, told) as written:
        await carry_out(drawn.plan, drawn.by_journal[name], address, limits, written)
        return written.kept


def _dummy(name: str, drawn: Drawn) -> Reply:
    if name != "vulnerable":
        return DUMMIES[name]
    known = {
        rendered(attempt).user: attempt.case.attack.success.value
        for attempt in drawn.by_journal[name]
        if attempt.case is not None and attempt.case.attack.success.condition is Condition.LITERAL
    }
    return obeying(known)


def serve_dummy(name: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve one of the shipped dummies until it is interrupted."""

    async def forever() -> None:
        async with served(speaking(DUMMIES[name]), port) as bound:
            ready(bound)
            await asyncio.Event().wait()

    if name not in DUMMIES:
        raise InternalError(f"there is no dummy {name}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(forever())
