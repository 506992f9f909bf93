"""Its acts need privilege and are tried by tests/contract/test_providers.py; here is what can be tried without."""

import json
import os
import subprocess
import sys

import pytest

from ringfence.compute.providers import launch

PLAN = {"stage": "/mnt", "sources": {}, "argv": [], "files": {}, "last": [], "environment": {}, "writer": []}


def run(text, **more):
    command = [sys.executable, "-I", "-S", launch.__file__, "mark"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=20, **more)


def test_files_are_handed_over_open():
    arguments = launch.file_descriptors({"/etc/x": (0o400, "content")})
    assert arguments[:3] == ["--perms", "0400", "--ro-bind-data"]
    assert os.read(int(arguments[3]), 100) == b"content"
    os.close(int(arguments[3]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make namespaces here without more ado")
def test_without_go_it_ends():
    answers = run(json.dumps(PLAN) + "\n").stdout.splitlines()
    assert [set(json.loads(answer)) for answer in answers] == [{"pid"}]


def test_what_fails_is_answered():
    answer = json.loads(run(json.dumps({**PLAN, "stage": "/nowhere"}) + "\n").stdout.splitlines()[-1])
    assert "mount /nowhere" in answer["error"] or "unshare" in answer["error"]
