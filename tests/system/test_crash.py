"""Kill it in the middle: what was acknowledged is in the log afterwards, and the log is clean."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from ringfence.testing.home import TENANT
from ringfence.testing.program import called, environment, run, serving, started

END = "\0end\n"
LOOP = """
import os, sys
import ringfence.artifacts.cli, ringfence.server  # once: what is killed below are its forks
from ringfence.main import run

def work():
    for number in range(10**6):
        try:
            run([part.replace("%d", f"{os.getpid()}-{number}") for part in sys.argv[1:]])
        except SystemExit as end:
            if end.code:
                os._exit(end.code)
        sys.stdout.flush()

for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        work()
    os.write(2, b"%d\\n" % pid)
    os.waitpid(pid, 0)
    os.write(1, b"\\0end\\n")
"""


def seeded(number):
    return random.Random(number)  # noqa: S311 - the same moments every time


def killed(given, arguments, rounds, rng):
    """Run a verb again and again, in one process after the other, killing each at a random moment."""
    acknowledged = []
    command = [sys.executable, "-c", LOOP, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(given), text=True, bufsize=1, **pipes) as parent:
        for _ in range(rounds):
            parent.stdin.write("go\n")
            victim = int(parent.stderr.readline())
            lines = [parent.stdout.readline()]  # an acknowledgement begins: from here on there is something to break
            time.sleep(rng.random() * 0.25)
            os.kill(victim, signal.SIGKILL)
            while not lines[-1].endswith(END):
                lines.append(parent.stdout.readline())
            acknowledged += whole("".join(lines).removesuffix(END))
        parent.stdin.close()
        assert parent.stderr.read() == ""
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


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_kill_in_the_middle_of_sealing(home_now, tmp_path, rounds):
    source = tmp_path / "data"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.bin").write_bytes(seeded(number).randbytes(200_000))
    given = home_now.environment()
    acknowledged = killed(given, ["dataset", "seal", str(source), "d%d", "--json"], rounds, seeded(rounds))
    assert acknowledged
    check(home_now, acknowledged)
    listed = json.loads(called(given, "dataset", "list", "--json").stdout)["datasets"]
    assert {dataset["name"] for dataset in listed} >= {document["name"] for document in acknowledged}
    for dataset in listed:
        done = called(given, "dataset", "verify", dataset["name"], "--json")
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
