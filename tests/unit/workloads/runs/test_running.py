import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from ringfence.kernel.errors import Conflict
from ringfence.testing.runs import CONTENTS, PYTHON, LocalShell, ScriptedShell, bench
from ringfence.workloads.runs import manifest, model, running
from ringfence.workloads.runs.model import CodeKind, InputPlace, Outcome, Place
from ringfence.workloads.runs.running import Host, Setting, passing_on, run_here, run_there
from ringfence.workloads.runs.tarball import header

COPY = 'cat "$RINGFENCE_INPUTS/claims/a.csv" > "$RINGFENCE_OUTPUTS/copy"'
NODE = Place("n-0123abcd", "namespace", "shared-kernel")


def order(text, **given):
    wanted = {"datasets": ["claims"], "seed": 3, "environment": ["X=1"], "code": []} | given
    return model.order(["sh", "-c", text], **wanted)


def setting(tmp_path, **given):
    cwd = tmp_path / "cwd"
    cwd.mkdir(exist_ok=True)
    wanted = {"cwd": cwd, "out": tmp_path / "out", "environment": {"PATH": os.environ["PATH"], "SECRET": "s"}} | given
    return Setting(**wanted)


def test_a_run_here_says_everything(tmp_path):
    given, held = bench()
    ran = run_here(given, order(f'{COPY}; env > "$RINGFENCE_OUTPUTS/env"'), setting(tmp_path))
    trace = ran.trace
    assert (tmp_path / "out" / "copy").read_bytes() == CONTENTS["a.csv"]
    seen = (tmp_path / "out" / "env").read_text()
    assert "RINGFENCE_SEED=3\n" in seen
    assert "PYTHONHASHSEED=3\n" in seen
    assert "SECRET" not in seen
    assert [output.path for output in trace.outputs.files] == ["copy", "env"]
    assert trace.input_place in {InputPlace.PRIVATE_TMPFS, InputPlace.SHARED_MEMORY}
    assert (trace.ended.outcome, trace.ended.exit_code) == (Outcome.COMPLETED, 0)
    assert (trace.code.kind, trace.place) == (CodeKind.NONE, Place())
    assert trace.lock.packages
    assert held.recorded == ["claims run"]


def test_the_fallback_is_named(tmp_path):
    given, _ = bench()
    ran = run_here(given, order(COPY), setting(tmp_path, private=False))
    assert ran.trace.input_place is InputPlace.SHARED_MEMORY
    assert "shared memory" in ran.notes[0]


def test_without_inputs_and_outputs(tmp_path):
    given, held = bench()
    ran = run_here(
        given, order('test -z "$RINGFENCE_INPUTS$RINGFENCE_OUTPUTS"', datasets=[]), setting(tmp_path, out=None)
    )
    assert ran.trace.ended.exit_code == 0
    assert (ran.trace.input_place, ran.trace.outputs.files, held.recorded) == (InputPlace.NONE, (), [])


def test_a_command_that_fails_is_told_with_what_it_left(tmp_path):
    given, _ = bench()
    trace = run_here(given, order(f"{COPY}; exit 4"), setting(tmp_path)).trace
    assert (trace.ended.outcome, trace.ended.exit_code, len(trace.outputs.files)) == (Outcome.FAILED, 4, 1)


def test_a_folder_that_is_not_empty_uses_no_key(tmp_path):
    given, held = bench()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with pytest.raises(Conflict):
        run_here(given, order(COPY), setting(tmp_path))
    assert held.recorded == []


def test_code_that_changes_meanwhile_is_seen(tmp_path):
    here = setting(tmp_path)
    script = here.cwd / "t.sh"
    script.write_text("echo changed > t.sh\n")
    given, _ = bench()
    asked = replace(order("true"), command=("sh", "t.sh"))
    trace = run_here(given, asked, here).trace
    assert trace.code_changed
    assert trace.code.kind is CodeKind.FILES
    script.write_text("true\n")
    assert not run_here(given, asked, setting(tmp_path, out=tmp_path / "other")).trace.code_changed


def there(tmp_path, asked, shell=None, **given):
    made, held = bench()
    host = Host(NODE, shell or LocalShell(), PYTHON)
    return run_there(made, asked, setting(tmp_path, quiet=True, **given), host), held


def test_a_run_on_a_node_says_everything(tmp_path):
    (setting(tmp_path).cwd / "t.sh").write_text(f'{COPY}; exit "$X"')
    asked = replace(order("", environment=["X=0"]), command=("sh", "t.sh"))
    ran, held = there(tmp_path, asked)
    trace = ran.trace
    assert (trace.ended.outcome, trace.place, trace.input_place) == (Outcome.COMPLETED, NODE, InputPlace.NODE_MEMORY)
    assert (tmp_path / "out" / "copy").read_bytes() == CONTENTS["a.csv"]
    assert [entry.path for entry in trace.code.shipped] == ["t.sh"]
    assert trace.lock.packages
    assert held.recorded == ["claims run"]


def test_a_node_that_lies_is_lost_and_that_can_be_stated(tmp_path):
    half = b"p\0\0\0\2{}" + b"t\0\0\4\0" + header("a", 3) + b"123" + bytes(509) + b"nonsense"
    ran, _ = there(tmp_path, order("true"), ScriptedShell(half))
    assert ran.trace.outputs.files == ()
    assert list((tmp_path / "out").iterdir()) == []
    assert ran.trace.ended.outcome is Outcome.LOST
    assert "no frame" in ran.notes[0]
    assert manifest.claims(ran.trace, bytes(32))["exitCode"] == -1


def test_outputs_that_nobody_asked_for_are_counted(tmp_path):
    ran, _ = there(tmp_path, order('echo 1 > "$RINGFENCE_OUTPUTS/a"'), out=None)
    assert (ran.trace.outputs.files, ran.trace.outputs.skipped) == ((), 1)
    assert not (tmp_path / "out").exists()


def test_outputs_that_nobody_asked_for_are_not_taken_from_a_node_that_sends_them(tmp_path):
    sent = b"p\0\0\0\2{}" + b"t\0\0\4\0" + header("a", 3) + b"123" + bytes(509)
    ran, _ = there(tmp_path, order("true"), ScriptedShell(sent), out=None)
    assert ran.trace.ended.outcome is Outcome.LOST
    assert "more than 0 files" in ran.notes[0]


def test_signals_are_passed_on_and_handlers_given_back():
    got = []

    class Target:
        def interrupt(self, number):
            got.append(number)

    before = signal.getsignal(signal.SIGTERM)
    with passing_on(Target()):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert got == [signal.SIGTERM, signal.SIGKILL], "the second time is impatience"
    assert signal.getsignal(signal.SIGTERM) is before
    thread = threading.Thread(target=lambda: passing_on(Target()).__enter__())
    thread.start()
    thread.join()


def test_the_python_that_the_command_finds_is_asked(tmp_path):
    fake = tmp_path / "python3"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    fake.chmod(0o755)
    lock, machine = running.survey(order("true"), {"PATH": f"{tmp_path}:/bin"}, tmp_path)
    assert lock.packages
    assert machine.cores
    assert running.survey(order("true"), {"PATH": str(tmp_path / "none")}, tmp_path)[0].packages == ()


def test_a_script_whose_name_begins_like_python_is_not_run_to_be_asked(tmp_path):
    script = tmp_path / "python_train.sh"
    script.write_text("#!/bin/sh\ntouch ran\n")
    script.chmod(0o755)
    running.survey(replace(order("true"), command=(str(script),)), {"PATH": os.environ["PATH"]}, tmp_path)
    assert running.survey(order("true"), {"PATH": os.environ["PATH"]}, tmp_path)[0].packages
    for name, is_one in (("python3.11", True), ("python", True), ("python_train.sh", False), ("python-train", False)):
        assert (running._python(f"./{name}", os.defpath, tmp_path) == str(tmp_path / name)) is is_one


def test_ctrl_c_ends_the_command_and_its_inputs(tmp_path):
    """The whole way, in a process of its own: signal, end, statement of it."""
    script = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from ringfence.testing.runs import bench
from ringfence.workloads.runs.running import Setting, run_here
from ringfence.workloads.runs import model
given, _ = bench()
asked = model.order(["sh", "-c", "echo running; exec sleep 300"], datasets=["claims"], seed=0, environment=[], code=[])
ran = run_here(given, asked, Setting(Path(sys.argv[1]), None, {"PATH": "/usr/bin:/bin"}))
print(ran.trace.ended.outcome, ran.trace.ended.signal)
"""
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout.readline() == "running\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "interrupted 2\n"
    assert child.returncode == 0
