import os
import subprocess
import sys

from ringfence.compute.providers import processes
from ringfence.compute.providers.processes import Process
from ringfence.tour.lab import until

SLEEP = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]


def started(*more):
    return subprocess.Popen([*SLEEP, *more], stdin=subprocess.PIPE)


def ended(child):
    child.kill()
    child.stdin.close()
    child.wait()


def test_a_process_is_its_pid_and_its_start():
    child = started()
    found = processes.find(child.pid)
    assert found.alive
    assert not Process(child.pid, found.started + 1).alive
    ended(child)
    assert not found.alive
    assert processes.find(child.pid) is None


def test_a_zombie_is_not_alive():
    child = started()
    found = processes.find(child.pid)
    child.kill()
    until(lambda: not found.alive, "its end")
    ended(child)


def test_only_the_very_process_is_ended():
    child = started()
    found = processes.find(child.pid)
    assert processes.end(Process(child.pid, found.started + 1))  # that one is gone already
    assert found.alive
    assert processes.end(found)
    assert child.wait() == -9
    assert processes.end(found)
    child.stdin.close()


def test_processes_are_found_by_their_mark():
    child = started("ringfence-test=one/n-1")
    # between exec and its return the command line of a process reads as empty
    found = until(lambda: processes.marked("ringfence-test=one/"), "the mark")
    assert [one.pid for one in found] == [child.pid]
    assert processes.marked("ringfence-test=two/") == []
    ended(child)


def test_a_family_is_a_process_and_its_descendants():
    child = started()
    members = {seen.process.pid: seen for seen in processes.family(os.getpid())}
    assert members[child.pid].parent == os.getpid()
    assert "sys.stdin.read" in members[child.pid].command
    assert os.getppid() not in members
    assert processes.family(2**22 + 1) == []
    ended(child)
