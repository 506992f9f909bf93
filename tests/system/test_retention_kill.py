"""Kill a sweep in the middle: the next one goes on, what is held stays, and each announcement is answered once."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import update

from ringfence.kernel.clock import to_millis
from ringfence.retention.model import Scope
from ringfence.storage.rows import SIDE_RECORDS
from ringfence.testing.home import TENANT, observed
from ringfence.testing.program import environment
from ringfence.testing.retention import stated

COUNT, HELD = 800, 50
ROUNDS, SOAK = 4, 200
SWEEPS = """
import os, random, signal, sys, time
from pathlib import Path
from ringfence.app import open_services
from ringfence.settings import Settings

home, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
cut = 0
for _ in range(rounds):
    ready, go = os.pipe()
    pid = os.fork()
    if not pid:
        with open_services(Settings(home=home)) as services:
            os.write(go, b"!")
            services.retention.sweeper()
        os._exit(0)
    os.read(ready, 1)
    time.sleep(chance.random() * 0.3)
    os.kill(pid, signal.SIGKILL)
    cut += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
print(cut)
"""


@pytest.fixture
def filled(home_now):
    """A home with many details that are past their period, some of which are held."""
    with home_now.services() as services:
        with services.database.transaction():
            for number in range(COUNT):
                case = "i-00000001" if number < HELD else "i-00000002"
                services.outbox.record(observed(details={"case": case, "number": number}), tenant=TENANT)
            past = to_millis(services.clock.now() - timedelta(days=1100))
            change = update(SIDE_RECORDS).where(SIDE_RECORDS.c.predicate == "lab.observed")
            services.database.connection().execute(change.values(since=past))
        services.ledger.integrate()
        services.retention.place(home_now.actor(), Scope(incident="i-00000001"), "a court asked")
    return home_now


def killed(home, rounds, seed):
    command = [sys.executable, "-c", SWEEPS, str(home.path), str(rounds), str(seed)]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def check(home):
    with home.services() as services:
        services.retention.sweeper()
        assert services.retention.sweeper() == []
        services.ledger.integrate()  # a kill may have come after the last statement's commit, before its integration
        left = services.retention.overview(TENANT)
        assert {kept.kind.name: (kept.due, kept.held) for kept in left}["details-other"] == (0, HELD)
        asked = [claims["run"] for claims in stated(services, "retention.sweep_requested")]
        swept = stated(services, "retention.swept")
        assert sorted(claims["run"] for claims in swept) == sorted(asked)
        assert sum(claims["destroyed"] for claims in swept) == COUNT - HELD
        held = [s for s in services.ledger.statements(TENANT) if s.opening and "case" in json.dumps(s.opening.details)]
        assert len(held) == HELD
        assert services.ledger.audit().failures == ()


def test_kills_lose_nothing_and_repeat_nothing(filled):
    assert killed(filled, ROUNDS, 1) > 0
    check(filled)


@pytest.mark.soak
def test_many_kills_lose_nothing_and_repeat_nothing(filled):
    killed(filled, SOAK, 2)
    check(filled)
