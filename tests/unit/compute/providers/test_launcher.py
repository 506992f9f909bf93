import sys

import pytest

from ringfence.compute.providers import launcher
from ringfence.kernel.errors import Unavailable

PLAN = launcher.Plan("/mnt", {}, [], {}, [], {}, [], [], {}, None)


def start(code, prepared=lambda _pid: None):
    """Let another program stand where the launcher stands."""
    return launcher.start(PLAN, prefix=(sys.executable, "-c", code), marker="x", prepared=prepared)


def test_the_caller_acts_between_the_answers():
    code = """
import sys
assert sys.stdin.readline().startswith('{"stage"')
print('{"pid": 41}', flush=True)
assert sys.stdin.readline() == "go\\n"
print('{\\n "child-pid": 42,\\n "mnt-namespace": 1\\n}', flush=True)
"""
    seen = []
    assert start(code, seen.append) == 42
    assert seen == [41]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("pass", "does not start"),
        ('import sys; sys.stdin.readline(); print(\'{"error": "unshare: no"}\')', "unshare: no"),
        ("import sys; sys.stdin.readline(); print('[1]')", "its log says why"),
        ("import sys; sys.stdin.readline(); print('{\"pid\": 1}'); sys.exit(1)", "ended before|its log says why"),
    ],
)
def test_a_launcher_that_fails_is_reported(code, message):
    with pytest.raises(Unavailable, match=message):
        start(code)


def test_a_launcher_that_is_not_there():
    with pytest.raises(Unavailable, match="does not start"):
        launcher.start(PLAN, prefix=("/nowhere",), marker="x", prepared=lambda _pid: None)


def test_a_log_writer_is_known_by_its_command(tmp_path):
    command = "\0".join(launcher.log_writer(tmp_path / "log", "mark")).encode()
    assert launcher.is_log_writer(command)
    assert not launcher.is_log_writer(b"python\0other.py")
