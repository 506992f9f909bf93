import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ringfence.workloads.runs import keeper


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_lines_are_heard_one_by_one(pair):
    ours, theirs = pair
    ours.sendall(b'{"a": 1}\n{"b"')
    line = keeper.Line(theirs)
    assert line.hear() == {"a": 1}
    ours.sendall(b": 2}\n")
    assert line.hear() == {"b": 2}
    ours.close()
    assert line.hear() is None


def test_swap_is_seen_as_the_kernel_tells_it():
    assert keeper.swap_is_on() == (len(Path("/proc/swaps").read_text().splitlines()) > 1)


def test_without_an_order_it_ends_and_removes_its_folder(pair, tmp_path):
    ours, theirs = pair
    folder = tmp_path / "folder"
    folder.mkdir()
    command = [sys.executable, "-I", "-S", keeper.__file__, str(theirs.fileno()), "", str(folder)]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    data, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
    for descriptor in descriptors:
        os.close(descriptor)
    assert json.loads(data)["kind"] == "shared-memory"
    ours.close()
    assert process.wait(timeout=30) == 0
    assert not folder.exists()


HARNESS = """
import json, os, socket, subprocess, sys
folder, theirs_script = sys.argv[1], sys.argv[2]
target = os.path.join(folder, "target")
os.mkdir(target, 0o700)
ours, theirs = socket.socketpair()
command = [sys.executable, "-I", "-S", theirs_script, str(theirs.fileno()), target, ""]
process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
theirs.close()
data, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
made = json.loads(data)
if made["kind"] == "private-tmpfs":
    with os.fdopen(os.open("a", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=descriptors[0]), "wb") as file:
        file.write(b"1")
    os.close(descriptors[0])
    made["outside"] = os.listdir(target)
    text = "test -e $IN/a && ! touch $IN/b 2>/dev/null && ! umount $IN 2>/dev/null"
    order = {"argv": ["sh", "-c", text], "cwd": "/", "env": {"IN": target, "PATH": os.environ["PATH"]}}
    ours.sendall(json.dumps(order).encode() + b"\\n")
    made |= json.loads(ours.recv(4096))
ours.close()
process.wait(timeout=30)
print(json.dumps(made))
"""


def test_as_an_ordinary_user_it_makes_a_user_namespace():
    """Root gives up its rights first: 65534 owns nothing here."""
    if os.geteuid():
        pytest.skip("every test of test_here.py runs as an ordinary user already")
    programs = ("/usr/bin/setpriv", "/usr/bin/python3")
    if not all(map(os.path.exists, programs)):
        pytest.skip("no setpriv, or no Python that another user may run")
    with tempfile.TemporaryDirectory() as folder:  # below a folder that everybody may enter
        script = Path(folder, "keeper.py")
        script.write_bytes(Path(keeper.__file__).read_bytes())
        os.chown(folder, 65534, 65534)
        command = [programs[0], "--reuid=65534", "--regid=65534", "--clear-groups", programs[1]]
        done = subprocess.run([*command, "-c", HARNESS, folder, script], capture_output=True, check=True, timeout=60)
    made = json.loads(done.stdout)
    if made["kind"] == "none":
        pytest.skip(f"this kernel lets an ordinary user make no mount namespace: {made['because']}")
    assert (made["outside"], made["because"], made["status"]) == ([], "", 0)
