import ast
import io
import json
import os
import secrets
import select
import struct
import tarfile
import threading
import time
import types
from pathlib import Path

import pytest

from ringfence.kernel.errors import UsageError
from ringfence.testing.artifacts import MemoryFolder
from ringfence.testing.runs import PYTHON, LocalShell, ScriptedShell
from ringfence.workloads.runs import agent, probe, surveying, tarball
from ringfence.workloads.runs.model import Ended, Outcome
from ringfence.workloads.runs.remote import Plan, Remote, source

MEMORY = Path("/dev/shm")  # noqa: S108
SECRET = b"patient-0017,positive"
needs_memory = pytest.mark.skipif(
    not any(line.split()[1] == str(MEMORY) for line in Path("/proc/mounts").read_text().splitlines()),
    reason="no memory file system is mounted here",
)


class Node:
    def __init__(self, shell=None):
        self.folder, self.shown = MemoryFolder(), []
        self.shell, self.mark = shell or LocalShell(), secrets.token_hex(8)
        self.remote = Remote(self.shell, lambda kind, data: self.shown.append((kind, data)))

    def run(self, text, *files, cwd="", environment=None):
        mark = (f"inputs/mark/{self.mark}", 0, False, iter([]))
        sent = [mark, *files, ("inputs/claims/a.csv", len(SECRET), False, iter([SECRET]))]
        plan = Plan(("sh", "-c", text), environment or {}, cwd, PYTHON)
        return self.remote.run(plan, sent, self.folder, with_inputs=True)

    def printed(self, kind=b"o"):
        return b"".join(data for which, data in self.shown if which == kind).decode()

    def left(self):
        """Return what is left of this very run: others may run on this machine at the same time."""
        return list(MEMORY.glob(f"ringfence-node-*/inputs/mark/{self.mark}"))


@pytest.fixture
def node():
    made = Node()
    yield made
    assert made.left() == []


@needs_memory
def test_inputs_and_code_go_in_and_outputs_come_back(node):
    answer = node.run(
        "cat $RINGFENCE_INPUTS/claims/a.csv > $RINGFENCE_OUTPUTS/copy; cat t.py; echo $X; stat -f -c %T .; echo no >&2",
        ("code/sub/t.py", 4, False, iter([b"code"])),
        cwd="sub",
        environment={"X": "set"},
    )
    assert (answer.ended, answer.problem) == (Ended(Outcome.COMPLETED, 0), "")
    assert node.folder.files == {"copy": SECRET}
    assert [output.path for output in answer.outputs.files] == ["copy"]
    assert node.printed() == "codeset\ntmpfs\n"
    assert node.printed(b"e") == "no\n"
    assert surveying.read(answer.report, source="node")[0].python


@needs_memory
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exit 9", Ended(Outcome.FAILED, 9)),
        ("kill -9 $$", Ended(Outcome.FAILED, None, 9)),
        ("exec no-such", Ended(Outcome.FAILED, 127)),
    ],
)
def test_how_it_ends_is_told(node, text, expected):
    assert node.run(text).ended == expected


@needs_memory
def test_what_is_no_plain_file_stays_there_and_is_counted(node):
    answer = node.run(
        "cd $RINGFENCE_OUTPUTS; ln -s /etc/passwd l; mkfifo p; echo 1 > a; touch $(printf 'x%.0s' $(seq 150))"
    )
    assert sorted(node.folder.files) == ["a"]
    assert answer.outputs.skipped == 3


@needs_memory
def test_it_is_interrupted(node):
    def interrupt():
        while "running" not in node.printed():
            time.sleep(0.01)
        node.remote.interrupt(2)

    thread = threading.Thread(target=interrupt)
    thread.start()
    answer = node.run("echo part > $RINGFENCE_OUTPUTS/part; echo running; exec sleep 300")
    thread.join()
    assert answer.ended == Ended(Outcome.INTERRUPTED, None, 15)
    assert node.folder.files == {"part": b"part\n"}


@needs_memory
def test_a_session_that_breaks_leaves_nothing_there_and_nothing_is_known(node):
    def cut():
        while "running" not in node.printed():
            time.sleep(0.01)
        node.shell.processes[0].stdin.close()

    thread = threading.Thread(target=cut)
    thread.start()
    answer = node.run("echo running; exec sleep 300")
    thread.join()
    assert answer.ended.outcome in {Outcome.LOST, Outcome.INTERRUPTED}


@needs_memory
def test_the_command_does_not_outlive_an_agent_that_is_killed(tmp_path):
    node, held = Node(), tmp_path / "pipe"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reader, "rb", buffering=0) as file:
        answer = node.run(f"exec 9> {held}; kill -9 $PPID; exec sleep 20")
        assert select.select([file], [], [], 10)[0], "the command lives on"
    assert answer.ended == Ended(Outcome.LOST)
    agent.sweep(str(MEMORY))
    assert node.left() == []


@needs_memory
def test_a_stream_that_the_node_cannot_take_is_refused_in_a_sentence(node, capfd):
    answer = node.run("true", ("inputs/claims/a.csv", 1, False, iter([b"1"])))  # the same name twice
    assert answer.ended == Ended(Outcome.LOST)
    assert "File exists" in answer.problem
    assert "Traceback" not in capfd.readouterr().err


@needs_memory
def test_what_cannot_be_read_to_its_end_does_not_run(node, tmp_path):
    def damaged():
        yield SECRET
        raise UsageError("the next chunk is damaged")

    with pytest.raises(UsageError, match="damaged"):
        node.run(f"touch {tmp_path}/ran", ("inputs/claims/b", 100, False, damaged()))
    assert not (tmp_path / "ran").exists()


def test_a_node_that_does_not_let_go_is_left():
    node = Node()
    thread = threading.Thread(target=lambda: [time.sleep(0.3), node.remote.interrupt(9), node.remote.interrupt(9)])
    thread.start()
    answer = node.run("exec sleep 300")
    thread.join()
    assert answer.ended.outcome is Outcome.LOST


def frame(kind, data):
    return kind + struct.pack(">I", len(data)) + data


def archive(*files):
    return b"".join(tarball.written((name, len(data), False, iter([data])) for name, data in files))


STATUS = frame(b"s", json.dumps({"code": 0, "interrupted": False, "swap": False, "skipped": 0}).encode())


def hostile(name, kind=tarfile.REGTYPE, link=""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        made.addfile(info)
    return frame(b"p", b"{}") + frame(b"t", out.getvalue()) + STATUS


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        frame(b"p", b"{}"),
        frame(b"p", b"{}") + frame(b"t", b"\0" * 1024),
        hostile("../../x"),
        hostile("/x"),
        hostile("a", tarfile.SYMTYPE, "/etc"),
        hostile("a", tarfile.LNKTYPE, "/etc/passwd"),
        hostile("a", tarfile.BLKTYPE),
        frame(b"p", b"{}") + frame(b"t", archive(("a", b"1"))[:600]) + STATUS,
        frame(b"p", b"{}") + frame(b"t", tarball.header("a", tarball.MAX_SIZE)) * 2 + STATUS,
        frame(b"p", b"{}") + frame(b"t", archive(("a", b"1"))) + STATUS[:-3],
        frame(b"p", b"{}") + STATUS,
        frame(b"s", b'{"refused": "no memory"}'),
    ],
)
def test_a_hostile_node_is_lost_and_nothing_else(answer):
    node = Node(ScriptedShell(answer))
    found = node.run("true")
    assert found.ended == Ended(Outcome.LOST)
    assert found.outputs.files == ()
    assert found.problem


def test_an_honest_script_would_pass():
    node = Node(ScriptedShell(frame(b"p", b"{}") + frame(b"t", archive(("a", b"1")) + bytes(9000)) + STATUS))
    assert node.run("true").ended == Ended(Outcome.COMPLETED, 0)
    assert node.folder.files == {"a": b"1"}


def test_the_plan_holds_no_names_of_this_machine():
    document = json.loads(Plan(("a",), {"B": "c"}, "sub").line(with_inputs=False))
    assert document["places"] == {"RINGFENCE_OUTPUTS": "outputs"}
    assert document["probe"] == source("probe")
    assert len(source("agent")) < 60_000, "one argument of a command line holds 128 KiB"
    assert io.StringIO(source("agent")).readline().startswith('"""The node')


@pytest.mark.parametrize("sent", [agent, probe])
def test_a_host_with_python_3_8_can_read_what_is_sent(sent):
    ast.parse(source(sent.__name__.rpartition(".")[2]), feature_version=(3, 8))
    functions = [one for one in vars(sent).values() if isinstance(one, types.FunctionType)]
    noted = [note for one in functions for note in one.__annotations__.values()]
    assert noted
    assert {type(note) for note in noted} <= {str, type(None)}, "3.8 cannot evaluate list[str]"
