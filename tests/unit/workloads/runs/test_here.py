import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.workloads.runs import here, keeper
from ringfence.workloads.runs.here import MEMORY, PREFIX, chamber
from ringfence.workloads.runs.model import Ended, InputPlace, Outcome

SECRET = b"patient-0017,positive"
AROUND = {"PATH": os.environ["PATH"]}


def can_be_private():
    with chamber() as made:
        return made.place is InputPlace.PRIVATE_TMPFS


@pytest.fixture(scope="module", params=[True, False], ids=["private", "shared"])
def private(request):
    if request.param and not can_be_private():
        pytest.skip("this machine lets nobody make a mount namespace")
    return request.param


def put(made, name="claims/a.csv", data=SECRET):
    with made.folder.create(name) as sink:
        sink.write(data)


def shell(made, text, out=None):
    places = {"IN": made.path, "OUT": str(out or "")}
    return made.run(["sh", "-c", text], cwd=Path("/"), environment=AROUND | places)


def test_the_command_reads_its_inputs_from_memory_and_they_are_gone(private, tmp_path):
    with chamber(private=private) as made:
        assert made.place is (InputPlace.PRIVATE_TMPFS if private else InputPlace.SHARED_MEMORY)
        put(made)
        ended = shell(made, "cat $IN/claims/a.csv > $OUT/copy; stat -f -c %T $IN > $OUT/kind", tmp_path)
    assert ended == Ended(Outcome.COMPLETED, 0)
    assert (tmp_path / "copy").read_bytes() == SECRET
    assert (tmp_path / "kind").read_text().strip() == "tmpfs"
    assert not Path(made.path).exists()


def test_nobody_outside_sees_private_inputs_and_nothing_lies_on_a_disk(tmp_path):
    if not can_be_private():
        pytest.skip("this machine lets nobody make a mount namespace")
    with chamber() as made:
        put(made)
        assert list(Path(made.path).iterdir()) == []
        assert os.statvfs(made.path).f_fsid == os.statvfs(Path(made.path).parent).f_fsid
        ended = shell(made, "test -s $IN/claims/a.csv && touch $OUT/ready", tmp_path)
        assert ended.exit_code == 0
        assert list(Path(made.path).iterdir()) == []
    found = subprocess.run(["grep", "-rlF", SECRET.decode(), str(tmp_path)], capture_output=True, check=False)
    assert found.stdout == b""


def test_private_inputs_cannot_be_changed():
    if not can_be_private():
        pytest.skip("this machine lets nobody make a mount namespace")
    with chamber(quiet=True) as made:
        put(made)
        assert shell(made, "echo x > $IN/claims/a.csv 2>/dev/null").exit_code
    with chamber(quiet=True) as made:
        put(made)
        assert shell(made, "touch $IN/new 2>/dev/null").exit_code


def test_how_it_ends_is_told(private):
    for text, expected in (("exit 7", Ended(Outcome.FAILED, 7)), ("kill -9 $$", Ended(Outcome.FAILED, None, 9))):
        with chamber(private=private) as made:
            assert shell(made, text) == expected


def test_a_command_that_is_not_there(private):
    with chamber(private=private) as made, pytest.raises(Unavailable, match="cannot be started"):
        made.run(["no-such-program"], cwd=Path("/"), environment=AROUND)
    assert not Path(made.path).exists()


def test_it_is_interrupted(private, tmp_path):
    os.mkfifo(tmp_path / "ready")
    with chamber(private=private) as made:

        def interrupt():
            (tmp_path / "ready").read_bytes()  # until the command runs
            made.interrupt(signal.SIGTERM)

        thread = threading.Thread(target=interrupt)
        thread.start()
        ended = shell(made, "echo > $OUT/ready; exec sleep 60", tmp_path)
        thread.join()
    assert ended == Ended(Outcome.INTERRUPTED, None, signal.SIGTERM)
    assert not Path(made.path).exists()


def test_what_the_command_left_running_is_ended(private, tmp_path):
    text = "setsid sh -c 'echo $$ > $OUT/pid; exec sleep 300' & while ! test -s $OUT/pid; do sleep 0.01; done; exit 3"
    with chamber(private=private) as made:
        ended = shell(made, text, tmp_path)
    assert ended.exit_code == 3
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.fixture
def core_files():
    """Allow core files, as far as this machine lets us."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield before[1] != 0
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_core_file_and_no_standard_input(private, tmp_path, core_files):
    if not core_files:
        pytest.skip("this machine allows nobody a core file")
    with chamber(private=private) as made:
        assert shell(made, "ulimit -c > $OUT/core; cat > $OUT/input", tmp_path).exit_code == 0
    assert (tmp_path / "core").read_text().strip() == "0"
    assert (tmp_path / "input").read_bytes() == b""


CHILD = """
import os, sys
from pathlib import Path
from ringfence.workloads.runs.here import chamber
with chamber(private=sys.argv[1] == "True") as made:
    with made.folder.create("a") as sink:
        sink.write(b"secret")
    print(made.path, flush=True)
    made.run(["sh", "-c", "echo running; exec sleep 300"], cwd=Path("/"), environment={"PATH": os.environ["PATH"]})
"""


def test_whoever_is_killed_leaves_no_input_behind(private):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(private)], stdout=subprocess.PIPE, text=True)
    with child:
        path = child.stdout.readline().strip()
        assert child.stdout.readline().strip() == "running"
        child.kill()
        assert child.stdout.read() == ""  # the end comes once keeper and command are gone too
    assert not private or list(Path(path).iterdir()) == []
    assert private or not Path(path).exists()
    if private:
        Path(path).rmdir()  # the empty mount point is all that is left


NESTED = """
setsid sh -c 'setsid sh -c "echo \\$\\$ > $OUT/pid.part; mv $OUT/pid.part $OUT/pid; exec sleep 300" & exec sleep 300' &
while ! test -e $OUT/pid; do sleep 0.01; done
"""


def test_nor_does_what_that_left_in_its_turn_run_on(private, tmp_path):
    with chamber(private=private) as made:
        assert shell(made, NESTED + "exit 4", tmp_path).exit_code == 4
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


LINGERS = """
setsid sh -c 'echo $$ > $OUT/pid.part; mv $OUT/pid.part $OUT/pid; exec sleep 300' &
while ! test -e $OUT/pid; do sleep 0.01; done
mv $OUT/pid $OUT/known; exec sleep 300
"""


def keepers(parent):
    """Return the processes that keep runs below a process: the one that owns the memory, and the one that guards."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != str(os.getpid()):
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if os.fsencode(keeper.__file__) in words and above == parent:
                    found.append(int(entry.name))
    return found


@pytest.mark.parametrize("victim", ["keeper", "guard", "group"])
def test_a_kill_of_what_keeps_a_run_ends_the_grandchildren_of_its_command(private, tmp_path, victim):
    def kill():
        while not (tmp_path / "known").exists():
            time.sleep(0.01)
        (owner,) = keepers(os.getpid())
        if victim == "group":
            os.killpg(owner, signal.SIGKILL)
        else:
            os.kill(owner if victim == "keeper" else keepers(owner)[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    with chamber(private=private) as made:
        thread.start()
        with pytest.raises(Unavailable, match="was killed"):
            shell(made, LINGERS, tmp_path)
        thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "known").read_text()), 0)
    assert not Path(made.path).exists()


def test_the_guard_alone_leaves_nothing_behind_either(private):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(private)], stdout=subprocess.PIPE, text=True)
    with child:
        path = child.stdout.readline().strip()
        assert child.stdout.readline().strip() == "running"
        (owner,) = keepers(child.pid)
        os.kill(owner, signal.SIGSTOP)  # so that both are gone at once
        child.kill()
        os.kill(owner, signal.SIGKILL)
        assert child.stdout.read() == ""
    assert not private or list(Path(path).iterdir()) == []
    assert private or not Path(path).exists()
    if private:
        Path(path).rmdir()


def test_what_a_machine_that_lost_power_left_is_swept():
    dead, alive = MEMORY / f"{PREFIX}dead-{os.getpid()}", MEMORY / f"{PREFIX}alive-{os.getpid()}"
    for path in (dead, alive):
        path.mkdir(mode=0o700)
    (dead / "a").write_bytes(SECRET)
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        here.sweep()
        assert not dead.exists()
        assert alive.exists()
    finally:
        os.close(lock)
        here.sweep()
    assert not alive.exists()
