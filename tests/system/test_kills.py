"""Kill us, or the database server, at any moment: what a client holds an acknowledgement of is in a clean log."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ringfence.testing.appending import reconcile
from ringfence.testing.home import make
from ringfence.testing.postgresql import Server, folder, running, server
from ringfence.testing.program import environment
from ringfence.testing.smalldisk import small_disk

SOAK = [pytest.mark.soak, pytest.mark.timeout(3600)]
ROUNDS = pytest.mark.parametrize("rounds", [20, pytest.param(1000, marks=SOAK)])


class Client:
    """The program that appends; each `start` is a new process of it."""

    def __init__(self, home, file, prefix=()):
        self.file = file
        self.errors = file.with_suffix(".errors").open("w+")
        command = [*prefix, sys.executable, "-m", "ringfence.testing.appending", str(home.path), str(file)]
        self.parent = subprocess.Popen(
            command,
            env=environment({}),
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.pid = 0

    def start(self):
        self.parent.stdin.write("go\n")
        self.pid = int(self.parent.stdout.readline())

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        assert self.parent.stdout.readline() == "ended\n"
        self.pid = 0

    def held(self):
        return self.file.read_text() if self.file.exists() else ""

    def acknowledged_more(self, than):
        """Wait until it holds more than it did: from here on there is something to break."""
        for _ in range(3000):
            if len(self.held()) > than:
                return
            time.sleep(0.01)
        raise AssertionError(f"nothing was acknowledged any more: {self.said()}")

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def close(self):
        if self.pid:
            self.kill()
        self.parent.communicate(timeout=60)
        self.errors.close()


@pytest.fixture
def client(home_now, tmp_path):
    made = Client(home_now, tmp_path / "acknowledgements")
    yield made
    made.close()


def moments(seed):
    return random.Random(seed)  # noqa: S311 - the same moments every time


@pytest.mark.databases
@ROUNDS
def test_a_kill_of_ours_loses_nothing_that_was_acknowledged(home_now, client, rounds):
    rng = moments(rounds)
    for _ in range(rounds):
        held = len(client.held())
        client.start()
        client.acknowledged_more(held)
        time.sleep(rng.random() * 0.15)
        client.kill()
    with home_now.services() as services:
        assert reconcile(services, client.held()) >= rounds


@pytest.fixture
def mortal():
    """A server of the test's own, which it may kill."""
    with server() as running:
        yield running


@ROUNDS
def test_a_kill_of_the_database_server_loses_nothing_that_was_acknowledged(mortal, tmp_path, rounds):
    """The client lives through all of it: what fails is not acknowledged, and it goes on when the server is back."""
    home, rng = make(tmp_path / "home", server=mortal), moments(rounds)
    client = Client(home, tmp_path / "acknowledgements")
    try:
        client.start()
        for number in range(rounds):
            client.acknowledged_more(len(client.held()))
            time.sleep(rng.random() * 0.15)
            (mortal.kill if number % 2 else mortal.stop)()
            mortal.start()
        client.acknowledged_more(len(client.held()))
        client.kill()
        said = client.said()
    finally:
        client.close()
    assert unexplained(said) == []
    with home.services() as services:
        assert reconcile(services, client.held()) >= rounds


def unexplained(said):
    """What a client said beside our own error and the driver's log line about a connection that was killed under it."""
    expected = ("Unavailable ", "error ignored terminating <psycopg.Pipeline")
    return [line for line in said.splitlines() if not line.startswith(expected)]


def run_full(client, disk):
    """Let a client work until its disk is full, look, free the disk, and let it work again; return what it said."""
    client.start()
    client.acknowledged_more(0)
    disk.fill(leave=200_000)
    for _ in range(6000):
        if said := client.said():
            break
        time.sleep(0.01)
    else:
        raise AssertionError("it never noticed")
    disk.free()
    client.acknowledged_more(len(client.held()))
    client.kill()
    return said


def test_a_full_disk_below_sqlite_acknowledges_nothing_and_loses_nothing(made_now, tmp_path):
    with small_disk(tmp_path / "small", 24 * 2**20) as disk:
        home = replace(made_now, path=disk.path / "home")
        disk.run("cp", "-a", str(made_now.path), str(home.path))
        client = Client(home, tmp_path / "acknowledgements", disk.prefix)
        try:
            said = run_full(client, disk)  # whichever of the two finds no space first: the database, or the tiles
            assert "the disk is full" in said or "No space left on device" in said
        finally:
            client.close()
        disk.run("cp", "-a", str(home.path), str(tmp_path / "home"))
    with replace(made_now, path=tmp_path / "home").services() as services:
        assert reconcile(services, client.held()) > 0


def test_a_full_disk_below_postgresql_acknowledges_nothing_and_loses_nothing(tmp_path):
    """Whether a table or the journal of the server finds no space first: an error, or the server ends and recovers."""
    with folder() as place, small_disk(place / "disk", 160 * 2**20) as disk:
        disk.run("chown", "nobody", str(disk.path))
        with running(Server(disk.path, disk.prefix, sockets=place)) as made:
            home = make(tmp_path / "home", server=made)
            client = Client(home, tmp_path / "acknowledgements")
            try:
                said = run_full(client, disk)
            finally:
                client.close()
            assert unexplained(said) == []
            with home.services() as services:
                assert reconcile(services, client.held()) > 0
