"""Kill it in the middle: what was acknowledged is in the log afterwards, and the log is clean."""

import json
import random
import subprocess
import sys
import time

import pytest

from ringfence.testing.home import TENANT
from ringfence.testing.program import environment, run, serving, started

LOOP = """
import sys
from ringfence.main import run
number = 0
while True:
    number += 1
    arguments = [part.replace("%d", str(number)) for part in sys.argv[1:]]
    try:
        run(arguments)
    except SystemExit as end:
        if end.code:
            raise
    sys.stdout.flush()
"""


def seeded(number):
    return random.Random(number)  # noqa: S311 - the same moments every time


def killed(given, arguments, rounds, rng):
    """Run a verb again and again, in one process after the other, killing each at a random moment."""
    acknowledged = []
    for _ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-c", LOOP, *arguments],
            env=environment(given),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        first = child.stdout.readline()  # the first acknowledgement begins: from here on there is something to break
        time.sleep(rng.random() * 0.25)
        child.kill()
        with child:
            acknowledged += whole(first + child.stdout.read())
            assert "Traceback" not in child.stderr.read()
    return acknowledged


def whole(text):
    """Return the documents that were printed in full."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(text):
        try:
            document, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        found.append(document)
        while text[place : place + 1].isspace():
            place += 1
    return found


def check(home, acknowledged):
    with home.services() as services:
        services.replay_journals()
        services.ledger.integrate()
        assert services.ledger.audit().failures == ()
        logged = {str(s.envelope.digest): s for s in services.ledger.statements(TENANT)}
        for document in acknowledged:
            statement = document["statement"]
            assert logged[statement["envelope"]].entry == statement["entry"]
        sequences = {}
        for found in logged.values():
            issuance = found.envelope.statement.issuance
            sequences.setdefault(issuance.issuer, []).append(issuance.sequence)
        for found in sequences.values():
            assert sorted(found) == list(range(1, len(found) + 1))
    assert not list((home.path / "log").rglob("*.tmp"))


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_kill_in_the_middle_of_appending(home_now, rounds):
    acknowledged = killed(home_now.environment(), ["record", "log.heartbeat", "--json"], rounds, seeded(rounds))
    assert len(acknowledged) >= rounds / 2
    check(home_now, acknowledged)


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_kill_in_the_middle_of_sealing(home_now, tmp_path, rounds):
    source = tmp_path / "data"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.bin").write_bytes(seeded(number).randbytes(200_000))
    given = home_now.environment()
    acknowledged, rng = [], seeded(rounds)
    for attempt in range(rounds):
        acknowledged += killed(given, ["dataset", "seal", str(source), f"d{attempt}-%d", "--json"], 1, rng)
    assert acknowledged
    check(home_now, acknowledged)
    listed = json.loads(run(given, "dataset", "list", "--json").stdout)["datasets"]
    for dataset in listed:
        done = run(given, "dataset", "verify", dataset["name"], "--json")
        assert done.returncode == 0, done.stderr


def test_a_killed_server_leaves_a_socket_that_is_in_nobodys_way(home_now):
    given = home_now.environment()
    child = started(given)
    while "Ctrl-C" not in child.stderr.readline():
        assert child.poll() is None
    child.kill()
    child.communicate()
    assert (home_now.path / "ringfence.sock").exists()
    assert run(given, "record", "log.heartbeat", "--json").returncode == 0
    with serving(given):
        pass
    assert not (home_now.path / "ringfence.sock").exists()
