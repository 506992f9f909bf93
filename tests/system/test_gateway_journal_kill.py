"""Kill the process that writes the journal, under load: no acknowledged record is lost, none is there twice, no gap."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from ringfence.gateway import records, segment
from ringfence.gateway.records import Outcome
from ringfence.testing import receipts

TENANT = receipts.TENANT
WRITER = """
import asyncio, os, pathlib, sys
from ringfence.testing import receipts

async def caller(journal, numbers, answering):
    for number in numbers:
        await journal.admit(receipts.admitted(number))
        os.write(1, b"a %d\\n" % number)
        await asyncio.sleep(answering)
        await journal.finish(receipts.finished(number))
        os.write(1, b"f %d\\n" % number)

async def main(folder, first):
    journal = receipts.opened(pathlib.Path(folder), close_after=0.02, most=64)
    os.write(1, b"ready\\n")
    # Every other answer takes its time: whenever the kill comes, some are open.
    await asyncio.gather(
        *(caller(journal, range(first + start, first + 10**6, 16), 0.02 * (start % 2)) for start in range(16))
    )

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def killed(folder, first, rng):
    """Let a writer run, kill it at some moment, and return what it had acknowledged."""
    command = [sys.executable, "-c", WRITER, str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n", child.stderr.read()
        time.sleep(rng.random() * 0.3)
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read()
    whole = rest[: rest.rfind(b"\n") + 1].decode().split("\n")[:-1]
    return [line.split() for line in whole]


def check(folder, acknowledged):
    files, found, before = receipts.closer(folder).files, [], None
    for number in range(1, files.last(TENANT) + 1):
        envelope, leaves = files.envelope(TENANT, number), files.leaves(TENANT, number)
        before = segment.follows(before, segment.closing_of(envelope, receipts.signer().public_key))
        assert envelope.statement.issuance.sequence == number
        assert before.root.value == segment.root_of([segment.leaf_hash(leaf) for leaf in leaves])
        assert files.salt(TENANT, number, 0)
        found += [records.parse(leaf) for leaf in leaves]
    assert sorted(record.number for record in found) == list(range(1, len(found) + 1))
    kept = {record.admitted.request: record.finished.outcome for record in found}
    assert len(kept) == len(found)
    for what, number in acknowledged:
        assert receipts.request(int(number)) in kept
        if what == "f":
            assert kept[receipts.request(int(number))] is Outcome.COMPLETE
    return Counter(kept.values()), before


def rounds(folder, count, seed):
    rng, acknowledged = random.Random(seed), []  # noqa: S311 - the same moments every time
    for turn in range(count):
        acknowledged += killed(folder, turn * 10**6, rng)
    receipts.opened(folder).close()
    outcomes, last = check(folder, acknowledged)
    assert sum(what == "f" for what, _ in acknowledged) <= outcomes[Outcome.COMPLETE]
    assert last.admitted == last.finished == sum(outcomes.values())
    return outcomes


def test_no_acknowledged_record_is_lost_and_none_is_there_twice(tmp_path):
    outcomes = rounds(tmp_path / "gateway", 5, 1)
    assert outcomes[Outcome.COMPLETE] > 50
    assert outcomes[Outcome.ABORTED] > 0  # some were open each time, and were ended at the next start


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_nor_after_many_kills(tmp_path, seed):
    assert rounds(tmp_path / "gateway", 40, seed)[Outcome.COMPLETE] > 1000


def test_a_kill_while_a_restart_recovers_loses_nothing_either(tmp_path):
    folder, rng = tmp_path / "gateway", random.Random(5)  # noqa: S311
    acknowledged = killed(folder, 0, rng)
    for turn, wait in enumerate((0.25, 0.3, 0.35), start=1):
        command = [sys.executable, "-c", WRITER, str(folder), str(turn * 10**6)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            time.sleep(wait)
            os.kill(child.pid, signal.SIGKILL)
    receipts.opened(folder).close()
    assert check(folder, acknowledged)[0][Outcome.COMPLETE] > 0
