"""A software TPM as a process: found by its marker, gone with its connection, and refused where it says no."""

import os
import select
import socket
import threading

import pytest

from ringfence.compute.providers import processes, softtpm
from ringfence.kernel.errors import Unavailable
from ringfence.testing import measured

WHY = measured.missing()
real = pytest.mark.skipif(bool(WHY), reason=WHY or "-")
MARKER = f"ringfence-test-process={os.getpid()}"


@pytest.fixture
def log():
    number = os.open(os.devnull, os.O_WRONLY)
    yield number
    os.close(number)


@real
def test_each_has_a_seed_of_its_own_that_stays(tmp_path, log):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    keys = [softtpm.make(tmp_path / name, MARKER, None, log) for name in ("a", "b", "a")]
    assert keys[0] == keys[2] != keys[1]
    assert not processes.marked(f"{softtpm.PREFIX}{MARKER}")


@real
def test_it_is_found_by_its_marker_and_ends_by_itself_with_the_connection_for_commands(tmp_path, log):
    with softtpm.start(tmp_path, MARKER, None, log) as (channel, process):
        assert processes.marked(f"{softtpm.PREFIX}{MARKER}") == [process]
        ended = os.pidfd_open(process.pid)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            softtpm.power_on(softtpm.Control(channel), softtpm.tpm_over(ours), theirs.fileno())
            assert process.alive
    try:
        assert select.select([ended], [], [], 60)[0], "nobody holds it any more, and it runs on"
    finally:
        os.close(ended)
        processes.end(process)


def test_a_refused_control_command_is_named():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answering = threading.Thread(target=lambda: (theirs.recv(64), theirs.sendall(b"\0\0\0\x09")))
        answering.start()
        with pytest.raises(Unavailable, match="control command 2"):
            softtpm.Control(ours).ask(softtpm.INIT, bytes(4))
        answering.join(5)


def test_a_channel_that_is_gone_is_said(tmp_path):
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(Unavailable):
            softtpm.Control(ours).ask(softtpm.INIT)
    assert not list(tmp_path.iterdir())
