"""The keeper, over a stand-in for the ground's process; the real one is in tests/system/test_practice.py."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from ringfence.frontends.client import SOCKET
from ringfence.kernel.errors import Conflict, Unavailable, UsageError
from ringfence.storage import sockets
from ringfence.testing.home import make
from ringfence.workloads.practice import ground, playing
from ringfence.workloads.practice import keeper as keeping
from ringfence.workloads.practice.keeper import Keeper


def keeper(home, *lines):
    script = home.path / "stand-in.py"
    script.write_text("\n".join(("import os, sys, time", *lines)), encoding="utf-8")
    return Keeper(home.path, (sys.executable, "-I", str(script)))


def test_nobody_starts_a_practice_that_would_end_with_nothing(home):
    child = keeper(home, "open(os.environ['RINGFENCE_HOME'] + '.ran', 'w')")
    with pytest.raises(Unavailable, match="beside `ringfence up`"):
        child.enter()
    assert "ringfence up" in child.standing().because
    assert not (home.path / "practice.ran").exists()


def test_why_it_does_not_start_is_told_from_its_last_words(home):
    child = keeper(home, "sys.exit('first\\nringfence: the disk is full')")
    with child.serving(), pytest.raises(Unavailable, match=r"does not start: the disk is full$"):
        child.enter()
    assert child.pid is None
    assert (home.path / "practice.log").stat().st_mode & 0o77 == 0, "a link stands in it"


def test_it_gets_no_secret_of_ours_and_goes_when_we_do(home, monkeypatch):
    monkeypatch.setenv("RINGFENCE_TOKEN", "rf-secret")
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", "postgresql://db.example/real")
    child = keeper(home, "sys.exit(' '.join(sorted(n for n in os.environ if n.startswith('RINGFENCE'))))")
    with child.serving(), pytest.raises(Unavailable, match="RINGFENCE_HOME"):
        child.enter()
    said = (home.path / "practice.log").read_text(encoding="utf-8")
    assert "TOKEN" not in said
    assert "DATABASE" not in said


def test_a_real_installation_in_its_place_is_neither_started_nor_removed(home, clock):
    inner = make(home.path / ground.FOLDER, clock)
    child = keeper(home, "sys.exit('ran')")
    for act in (child.enter, child.remove):
        with child.serving(), pytest.raises(UsageError, match="no practice"):
            act()
    assert (inner.path / "ringfence.json").exists()
    assert "no practice" in child.standing().because


def test_one_that_somebody_else_serves_is_neither_started_nor_removed(home, clock):
    inner = make(home.path / ground.FOLDER, clock, demo=True, log=ground.origin()).path
    child = keeper(home, "sys.exit('ran')")
    with socket.socket(socket.AF_UNIX) as served, child.serving():
        sockets.bind(served, inner / SOCKET)
        served.listen()
        for act in (child.enter, child.remove):
            with pytest.raises(Conflict, match="end it first"):
                act()
    assert (inner / "ringfence.json").exists()


@pytest.mark.parametrize("command", [keeping.COMMAND, playing.COMMAND])
def test_no_module_is_taken_from_the_folder_in_which_up_was_started(tmp_path, command):
    (tmp_path / "typer.py").write_text("raise SystemExit('taken')", encoding="utf-8")
    done = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "taken" in done.stderr) == (0, False)


def test_what_lies_outside_stays_where_a_practice_is_removed(home, clock, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine", encoding="utf-8")
    inner = make(home.path / ground.FOLDER, clock, demo=True, log=ground.origin())
    (inner.path / "folder").symlink_to(outside)
    (inner.path / "file").symlink_to(outside / "mine")
    (inner.path / "deep").mkdir()
    (inner.path / "deep" / "up").symlink_to(home.path)
    before = {path for path in home.path.rglob("*") if inner.path not in (path, *path.parents)}
    child = Keeper(home.path)
    assert child.standing().made
    assert child.remove()
    assert not inner.path.exists()
    assert (outside / "mine").read_text(encoding="utf-8") == "mine"
    assert set(home.path.rglob("*")) == before
    assert not child.remove(), "there was none any more"


def test_a_link_in_its_place_is_not_followed(home, clock, tmp_path):
    elsewhere = make(tmp_path / "elsewhere", clock, demo=True, log=ground.origin())
    (home.path / ground.FOLDER).symlink_to(elsewhere.path)
    with pytest.raises(UsageError, match="is no folder"):
        Keeper(home.path).remove()
    assert (elsewhere.path / "ringfence.json").exists()


def test_one_that_does_not_listen_is_ended_with_what_it_was_started_by(home):
    child = keeper(home, "open(os.environ['RINGFENCE_HOME'] + '.pid', 'w').write(str(os.getpid()))", "sys.stdin.read()")
    place = home.path / "practice.pid"
    with child.serving():
        said = []

        def enter():
            with suppress(Unavailable):
                child.enter()
            said.append("ended")

        waiting = threading.Thread(target=enter)
        waiting.start()
        while not (place.exists() and place.read_text(encoding="ascii")):
            time.sleep(0.01)
    waiting.join(timeout=30)
    assert said == ["ended"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(place.read_text(encoding="ascii")), 0)
