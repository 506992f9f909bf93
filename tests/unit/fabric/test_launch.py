import json
import os
import subprocess
import threading

import pytest

from ringfence.fabric import launch
from ringfence.fabric.links import started
from ringfence.kernel.errors import Refused, Unavailable


def write(directory, **fields):
    (directory / "p.json").write_text(json.dumps(fields))


def test_a_number_alone_names_no_process(tmp_path):
    assert launch.living(tmp_path, "p.json") is None
    write(tmp_path, pid=os.getpid(), started=started(os.getpid()))
    assert launch.living(tmp_path, "p.json") == os.getpid()
    write(tmp_path, pid=os.getpid(), started=started(os.getpid()) + 1)
    assert launch.living(tmp_path, "p.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "started": 1}', '{"pid": null, "started": 1}'])
def test_a_damaged_record_names_nobody(tmp_path, text):
    (tmp_path / "p.json").write_text(text)
    assert launch.living(tmp_path, "p.json") is None


def test_who_is_dead_but_not_buried_is_not_living(tmp_path):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    write(tmp_path, pid=child.pid, started=started(child.pid))
    assert launch.living(tmp_path, "p.json") == child.pid
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert launch.living(tmp_path, "p.json") is None
    child.wait()


def test_the_directory_is_ours_alone(tmp_path):
    launch.claim(tmp_path / "a" / "fabric")
    assert (tmp_path / "a" / "fabric").stat().st_mode & 0o777 == 0o700
    (tmp_path / "a" / "fabric").chmod(0o750)
    with pytest.raises(Refused, match="0700"):
        launch.claim(tmp_path / "a" / "fabric")


def test_one_starts_while_the_others_wait(tmp_path):
    order = []

    def second():
        with launch.alone(tmp_path):
            order.append("second")

    with launch.alone(tmp_path):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)  # who did not wait would be done by then
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_ending_what_does_not_run_is_no_error(tmp_path):
    launch.end(tmp_path)
    write(tmp_path, pid=os.getpid(), started=1)
    launch.end(tmp_path)
    with pytest.raises(Unavailable):
        launch.child_prefix(tmp_path)
