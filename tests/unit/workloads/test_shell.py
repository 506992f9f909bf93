"""The shell over a program that stands for ssh; with real nodes it is tests/system/test_runtime_node.py."""

import os
import socket
from io import BytesIO
from pathlib import Path

import pytest

from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable
from ringfence.testing.nodes import ANNA, CARL, TENANT, World
from ringfence.workloads import shell as module
from ringfence.workloads.shell import NodeShell

FAKE = """#!/bin/sh
printf '%s\\n' "$@" > "$0.argv"
while [ $# -gt 0 ]; do
  case "$1" in
    UserKnownHostsFile=*) cp "${1#*=}" "$0.known" ;;
    CertificateFile=*) cp "${1#*=}" "$0.certificate" ;;
    LocalForward=*) local="${1#*=}"; local="${local% *}" ;;
  esac
  shift
done
"""


@pytest.fixture
def node(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGFENCE_TOOLS", str(tmp_path))
    world = World()
    compute = world.compute()
    return world, compute, world.ready(compute)


def behaves(tmp_path, script):
    program = tmp_path / "usr/bin/ssh"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(FAKE + script)
    program.chmod(0o755)
    return program


def shell(node):
    _, compute, row = node
    return NodeShell(compute, CARL, row)


def test_a_session_knows_the_host_and_leaves_no_key(node, tmp_path):
    world, _, row = node
    program = behaves(tmp_path, "cat; echo said >&2; exit 3")
    before = set(Path(module.MEMORY).glob("ringfence-ssh-*"))
    done = shell(node).run(["echo", "a b"], stdin=[b"one ", b"two"], timeout=20)
    assert (done.code, done.out, done.err) == (3, b"one two", b"said\n")
    argv = Path(f"{program}.argv").read_text().splitlines()
    assert argv[-1] == "echo 'a b'"
    assert "StrictHostKeyChecking=yes" in argv
    assert Path(f"{program}.known").read_text().startswith(f"{row.id} ssh-ed25519 ")
    assert Path(f"{program}.certificate").read_text().startswith("certificate ")
    assert set(Path(module.MEMORY).glob("ringfence-ssh-*")) <= before
    assert world.claims("ssh.certificate_issued")[-1]["channel"] == "control"


def test_output_goes_where_it_is_wanted(node, tmp_path):
    behaves(tmp_path, "head -c 3000000 /dev/zero")
    out = BytesIO()
    assert shell(node).run(["true"], stdout=out, timeout=20).out == b""
    assert len(out.getvalue()) == 3_000_000


def test_what_is_fed_may_be_left_unread(node, tmp_path):
    behaves(tmp_path, "exec 0<&-; echo enough")
    assert shell(node).run(["true"], stdin=(bytes(2**18) for _ in range(20)), timeout=20).out == b"enough\n"


@pytest.mark.parametrize(("script", "says"), [("sleep 60", "longer than it may"), ("cat /dev/zero", "prints more")])
def test_a_command_without_end_is_ended(node, tmp_path, script, says):
    program = behaves(tmp_path, f"echo $$ > $0.pid; exec {script}")
    with pytest.raises(Unavailable, match=says):
        shell(node).run(["true"], timeout=1.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path(f"{program}.pid").read_text()), 0)


def test_a_source_that_fails_ends_the_session(node, tmp_path):
    behaves(tmp_path, "cat")

    def broken():
        yield b"first"
        raise Unavailable("the file ends early")

    with pytest.raises(Unavailable, match="ends early"):
        shell(node).run(["true"], stdin=broken(), timeout=20)


def test_no_command_and_another_node_of_that_name(node, tmp_path):
    world, compute, row = node
    behaves(tmp_path, "cat")
    with pytest.raises(MalformedInput, match="at least one word"):
        shell(node).run([], timeout=1)
    compute.stop(CARL, "alpha")
    world.ready(compute)
    with pytest.raises(Conflict, match="another node by now"):
        NodeShell(compute, CARL, row).run(["true"], timeout=1)


def test_a_quarantined_node_is_not_reached(node, tmp_path):
    _, compute, row = node
    behaves(tmp_path, "cat")
    compute.quarantine(TENANT, row.id, reason="tried", by=ANNA)
    with pytest.raises(Refused, match="quarantined"):
        shell(node).forward(tmp_path / "s.sock", 80)


SOCKET = """
exec python3 -I -c '
import socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.bind(sys.argv[1])
    sys.stdin.read()
' "$local"
"""


@pytest.mark.parametrize("folder", ["engines", "x" * 120])  # a socket's name has at most 107 bytes
def test_a_tunnel_is_open_until_it_is_closed(node, tmp_path, folder):
    world, _, _ = node
    program = behaves(tmp_path, SOCKET)
    local = tmp_path / folder / "s.sock"
    local.parent.mkdir()
    tunnel = shell(node).forward(local, 8080)
    assert tunnel.alive
    assert local.is_socket()
    assert not tunnel.folder.exists(), "the key outlives its use"
    argv = Path(f"{program}.argv").read_text().splitlines()
    assert "LocalForward=./s.sock 127.0.0.1:8080" in argv  # whatever stands in the path to it
    assert "ExitOnForwardFailure=yes" in argv
    assert world.claims("ssh.certificate_issued")[-1]["channel"] == "tunnel"
    assert Path(f"{program}.certificate").read_text().startswith("tunnel ")
    tunnel.close()
    assert not tunnel.alive
    assert not local.exists()
    assert not tunnel.folder.exists()


def test_a_tunnel_that_does_not_open_says_why_and_leaves_nothing(node, tmp_path):
    behaves(tmp_path, "echo first >&2; echo 'administratively prohibited' >&2; exit 255")
    before = set(Path(module.MEMORY).glob("ringfence-ssh-*"))
    with pytest.raises(Unavailable, match="administratively prohibited"):
        shell(node).forward(tmp_path / "s.sock", 8080)
    assert set(Path(module.MEMORY).glob("ringfence-ssh-*")) <= before


def test_a_socket_that_a_crash_left_is_no_open_tunnel(node, tmp_path):
    behaves(tmp_path, "echo 'not let in' >&2; exit 255")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s.sock"))
    with pytest.raises(Unavailable, match="not let in"):
        shell(node).forward(tmp_path / "s.sock", 8080)


def test_a_tunnel_ends_with_whoever_opened_it(node, tmp_path):
    behaves(tmp_path, SOCKET)
    tunnel = shell(node).forward(tmp_path / "s.sock", 8080)
    assert tunnel.process.stdin is not None
    tunnel.process.stdin.close()  # what the kernel does for a process that was killed
    assert tunnel.process.wait(timeout=20) == 0
    tunnel.close()


def test_the_socket_is_ours_alone(node, tmp_path):
    program = behaves(tmp_path, SOCKET)
    tunnel = shell(node).forward(tmp_path / "s.sock", 8080)
    try:
        assert "StreamLocalBindMask=0177" in Path(f"{program}.argv").read_text().splitlines()
        with socket.socket(socket.AF_UNIX) as sock, pytest.raises(ConnectionRefusedError):
            sock.connect(str(tmp_path / "s.sock"))
    finally:
        tunnel.close()
