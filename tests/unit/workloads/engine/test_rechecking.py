"""The program that looks again, over a real process that holds a real memory file."""

import hashlib
import io
import json
import os
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import pytest

from ringfence.workloads import shipping
from ringfence.workloads.engine import memory, rechecking

DATA = bytes(range(256)) * 9_000


@contextmanager
def engine(mark, *, seal=True):
    """Run a process that holds a memory file as the loader leaves it."""
    body = f"""
        import fcntl, os, sys
        held = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(held, bytes(range(256)) * 9000)
        if {seal}:
            fcntl.fcntl(held, fcntl.F_ADD_SEALS, {memory.SEALS})
        print("ready", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-I", "-c", textwrap.dedent(body), mark]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait()


def test_it_finds_the_engine_and_hashes_what_it_has_open():
    mark = f"ringfence-engine=one-{os.getpid()}"
    with engine(mark):
        seen = rechecking.look(mark.encode(), 2**40)
    assert seen["measured"] == f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    assert (seen["sealed"], seen["bytes"]) == (True, len(DATA))


def test_memory_that_can_still_be_written_to_is_told():
    mark = f"ringfence-engine=two-{os.getpid()}"
    with engine(mark, seal=False):
        assert rechecking.look(mark.encode(), 2**40)["sealed"] is False


def test_other_engines_and_none_are_told_apart():
    mark = f"ringfence-engine=three-{os.getpid()}"
    with engine(mark + "-more"):
        assert rechecking.look(mark.encode(), 2**40) == {
            "measured": "", "sealed": False, "bytes": 0, "milliseconds": 0
        }  # fmt: skip


def test_it_runs_by_itself_as_it_does_on_a_node():
    mark = f"ringfence-engine=four-{os.getpid()}"
    with engine(mark):
        done = subprocess.run(
            [sys.executable, "-I", "-c", shipping.RECHECK, mark, str(2**40)],
            input=shipping.opening(), capture_output=True, check=True,
        )  # fmt: skip
    assert json.loads(done.stdout)["bytes"] == len(DATA)


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1])
def test_it_sleeps_as_long_as_the_rate_asks_and_reads_each_byte_once(size):
    slept, now = [], [0.0]

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    held, measured = memory.receive(io.BytesIO(DATA[:size]), size)
    try:
        assert rechecking.hashed(held, 2**20, lambda: now[0], sleep) == (measured, size)
    finally:
        os.close(held)
    assert sum(slept) == pytest.approx(size / 2**20)
