"""The supervisor with stand-ins for the gateway: a module of a few lines each, in real processes."""

import os
import signal
import sys
import time
from dataclasses import replace

import pytest

from ringfence.gateway import worker
from ringfence.gateway.worker import Place, Supervisor, running
from ringfence.kernel.errors import Unavailable
from ringfence.storage import said
from ringfence.testing import standin_gateway

MODULE = standin_gateway.__name__


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "gateway"
    folder.mkdir()
    return Place(folder, tmp_path / "gateway.log", 0, module=MODULE)


@pytest.fixture
def supervise(place):
    """Make supervisors; all of them are stopped at the end."""
    made = []

    def make(told="", prepare=lambda: None):
        (place.folder / "told").write_text(told)
        made.append(Supervisor(place, prepare))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    assert running(place) == []


def wait_for(holds):
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_it_is_started_and_stopped(supervise, place):
    one = supervise()
    assert one.start() is True
    assert (one.because, one.starts, running(place)) == ("", 1, [one.pid])
    assert one.port > 0
    one.stop()
    assert one.pid is None


def test_one_that_is_killed_is_started_again_at_the_same_port(supervise):
    one = supervise()
    one.start()
    first, port = one.pid, one.port
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: one.pid not in {None, first} and one.because == "" and one.starts == 2)
    assert one.port == port


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ("fail", "port 8401 is taken by somebody"),
        ("silent-end", "it ended without saying why"),
        ("nonsense", "it did not say where it listens"),
    ],
)
def test_one_that_cannot_start_says_why(supervise, told, because):
    one = supervise(told)
    assert one.start() is False
    assert one.because == because
    assert one.pid is None


def test_what_failed_is_tried_again(supervise, place):
    one = supervise("fail")
    one.start()
    (place.folder / "told").write_text("")
    wait_for(lambda: one.pid is not None and one.because == "")


def test_a_folder_that_cannot_be_made_is_a_reason(supervise):
    def refuse():
        raise Unavailable("the disk is full")

    one = supervise(prepare=refuse)
    assert (one.start(), one.because) == (False, "the disk is full")


def test_a_machine_that_starts_no_process_is_a_reason_and_is_tried_again(supervise, place):
    one = supervise()
    one.place = replace(place, environment={"TOO_LONG": "x" * 2**20})
    assert one.start() is False
    assert "cannot start" in one.because
    one.place = place
    wait_for(lambda: one.pid is not None and one.because == "")


def test_one_that_outlived_its_supervisor_is_ended_first(supervise, place):
    orphaned = supervise()
    orphaned.start()
    old = orphaned.pid
    orphaned._stopping.set()  # as if that `up` had been killed
    one = supervise()
    assert one.start() is True
    assert running(place) == [one.pid] != [old]


def test_one_that_does_not_listen_to_reason_is_killed(supervise):
    one = supervise("deaf")
    one.start()
    pid = one.pid
    worker.end(pid, lambda: one.pid == pid, seconds=0.2)
    wait_for(lambda: one.pid != pid)


def test_gateways_of_other_folders_are_left_alone(supervise, place, tmp_path):
    supervise().start()
    other = Place(tmp_path / "elsewhere", place.log, 0, module=MODULE)
    assert running(other) == []


def test_what_it_says_goes_to_a_bounded_log(supervise, place):
    place.log.write_bytes(b"x" * (said.LARGEST + 1))
    supervise("fail").start()
    assert place.log.stat().st_size < 1000
    place.log.unlink()
    supervise("fail").start()
    assert place.log.stat().st_mode & 0o777 == 0o600


def test_secrets_are_not_in_the_command(place):
    words = place.command(8401, 90_001)
    assert words[:4] == [sys.executable, "-I", "-m", MODULE]
    assert words[4:] == [str(place.folder), "--port", "8401", "--uid", "90001", "--gid", "90001"]


EXPIRED = 'HTTP/1.1 503 Service Unavailable\r\n\r\n{"error":{"message":"keys are too \\u001b old"}}'


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ("answer HTTP/1.1 200 OK\r\n\r\n", ""),
        (f"answer {EXPIRED}", "it refuses every caller: keys are too ? old"),
        ("answer HTTP/1.1 503 no\r\n\r\n[]", "it does not say why"),
        ("answer SSH-2.0-x", "is no gateway"),
        ("answer ", "is no gateway"),
        ("", "nobody answers at its port"),
    ],
)
def test_it_is_asked_whether_it_serves(supervise, told, because):
    one = supervise(told)
    one.start()
    found = worker.asked(one.port, within=worker.ANSWERS_WITHIN if told else 0.2)  # the last one never says a word
    assert because in found
    assert bool(found) == bool(because)


def test_one_that_has_ended_says_why_or_that_it_has(supervise):
    one = supervise("fail")
    one.start()
    assert one.ask() == "port 8401 is taken by somebody"
    assert supervise("").ask() == "its process has ended, and is started again"
