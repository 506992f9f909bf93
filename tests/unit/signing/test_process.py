import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import log_origin
from ringfence.signing import process, protocol
from ringfence.testing import signing
from ringfence.testing.tokens import OWNER

WITHOUT = {"PATH": "/usr/bin"}


@contextmanager
def started(home, *more, uid=None, **environment):
    """Run the real process; give it with its first line."""
    argv = [sys.executable, "-I", "-m", "ringfence.signing", str(home), "--log", signing.LOG, *more]
    child = subprocess.Popen(argv, env=WITHOUT | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=uid)
    try:
        yield child, json.loads(child.stdout.readline() or b"{}")
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return signing.folder(tmp_path_factory.mktemp("signer") / "home")


@pytest.fixture(scope="module")
def running(home):
    with started(home) as (child, line):
        assert line["ready"] == child.pid
        assert line["dumpable"] is False
        yield child


def connected(home):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(20)
    connection.connect(str(home / process.SOCKET))
    return connection


def test_nobody_else_reaches_or_reads_it(running, home):
    assert (home / process.SOCKET).stat().st_mode & 0o777 == 0o600
    limits = Path(f"/proc/{running.pid}/limits").read_text()
    assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
    status = Path(f"/proc/{running.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert Path(f"/proc/{running.pid}/mem").stat().st_uid == 0  # the kernel gives it to root where it is not dumpable


def test_no_key_is_in_its_arguments_or_its_environment(running):
    for name in ("cmdline", "environ"):
        assert b"service.json" not in Path(f"/proc/{running.pid}/{name}").read_bytes()


def test_a_caller_costs_little_memory(running, home):
    """What is mapped is locked, where the kernel lets us lock it."""

    def mapped():
        lines = [line.split() for line in Path(f"/proc/{running.pid}/maps").read_text().splitlines()]
        ends = [[int(end, 16) for end in line[0].split("-")] for line in lines if line[1] == "rw-p"]
        return sum(last - first for first, last in ends)

    before, connections = mapped(), [connected(home) for _ in range(10)]
    for connection in connections:
        connection.sendall(protocol.frame({"op": "check"}))
        assert connection.recv(100)
    grown = mapped() - before
    for connection in connections:
        connection.close()
    assert grown < 10 * 2**21


def test_it_loads_neither_the_database_nor_a_web_server(home):
    code = (
        "import sys, ringfence.signing.process; "
        "print(sorted({'sqlalchemy', 'fastapi', 'httpx', 'typer', 'asyncio', 'uvicorn'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True, timeout=60)
    assert found.stdout == b"[]\n"
    assert home.exists()


@pytest.mark.parametrize(
    "sent", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", (2**20 + 1).to_bytes(4, "big")]
)
@pytest.mark.usefixtures("running")
def test_another_protocol_is_hung_up_on(home, sent):
    with connected(home) as connection:
        connection.sendall(sent)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""


@pytest.mark.usefixtures("running")
def test_junk_gets_one_answer_and_the_next_request_another(home):
    with connected(home) as connection:
        for data in (b"{}", b"\xff", b"[" * 1000, b'{"op":"public"}'):
            connection.sendall(len(data).to_bytes(4, "big") + data)
            size = protocol.length(connection.recv(4, socket.MSG_WAITALL))
            answer = json.loads(connection.recv(size, socket.MSG_WAITALL))
        assert answer["ok"]["log"] == signing.LOG


@pytest.mark.usefixtures("running")
def test_half_a_request_keeps_nobody_waiting(home):
    with connected(home) as slow, connected(home) as quick:
        slow.sendall(b"\0\0\0\x10{")
        quick.sendall(protocol.frame({"op": "check"}))
        assert quick.recv(4, socket.MSG_WAITALL)


@pytest.mark.usefixtures("running")
def test_too_many_callers_are_turned_away_and_the_others_served(home):
    held = [connected(home) for _ in range(process.CALLERS + 8)]
    try:
        served = 0
        for connection in held:
            try:
                connection.sendall(protocol.frame({"op": "check"}))
                served += bool(connection.recv(4))
            except OSError:
                continue
        assert 1 <= served <= process.CALLERS
    finally:
        for connection in held:
            connection.close()


@pytest.mark.usefixtures("running")
def test_a_second_signer_of_one_home_does_not_start(home):
    with started(home) as (child, line):
        assert "is running for" in line["because"]
        assert child.wait(timeout=30) == 4


def test_it_ends_with_whoever_started_it(tmp_path):
    home = signing.folder(tmp_path / "home")
    with started(home) as (child, line):
        assert "ready" in line
        child.stdin.close()
        assert child.wait(timeout=30) == 0


def test_a_passphrase_that_is_missing_is_a_sentence(tmp_path):
    with started(signing.folder(tmp_path / "home", b"secret")) as (child, line):
        assert "RINGFENCE_PASSPHRASE_FILE" in line["because"]
        assert line["kind"] == "refused"
        assert child.wait(timeout=30) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_root_it_becomes_a_user_who_owns_nothing_and_still_signs(tmp_path):
    home = signing.folder(tmp_path / "home")
    with started(home, "--uid", "66001") as (child, line):
        assert "ready" in line
        status = Path(f"/proc/{child.pid}/status").read_text()
        assert "Uid:\t66001\t66001\t66001\t66001" in status
        assert "Groups:\t\n" in status.replace("Groups:\t \n", "Groups:\t\n")
        assert "CapEff:\t0000000000000000" in status
        with connected(home) as connection:
            now = process.WallClock().now()
            head = {"head": protocol.head_to_json(signing.head(5)), "at": now.isoformat(timespec="milliseconds")}
            head["at"] = head["at"].replace("+00:00", "Z")
            connection.sendall(protocol.frame({"op": "head", "proof": [], **head}))
            size = protocol.length(connection.recv(4, socket.MSG_WAITALL))
            assert "note" in protocol.outcome(connection.recv(size, socket.MSG_WAITALL))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_with_keys_in_a_token_it_becomes_the_owner_of_the_pin(tmp_path, software_token):
    """The PIN is read before that: its folder here is one that only root enters."""
    pin = tmp_path / "pin"
    pin.write_bytes(software_token.pin_file.read_bytes())
    pin.chmod(0o600)
    os.chown(pin, OWNER, OWNER)
    tmp_path.chmod(0o700)
    home = signing.in_token(signing.folder(tmp_path / "home"), replace(software_token, pin_file=pin))
    known = {"SOFTHSM2_CONF": str(software_token.configuration)}
    with started(home, "--uid", "66001", **known) as (child, line):
        assert "ready" in line, line
        status = Path(f"/proc/{child.pid}/status").read_text()
        assert f"Uid:\t{OWNER}\t{OWNER}\t{OWNER}\t{OWNER}" in status
        assert "CapEff:\t0000000000000000" in status
    os.chown(pin, 0, 0)
    with started(home, "--uid", "66001", **known) as (_, line):
        assert "the user who owns the file of the PIN" in line["because"]


def test_a_token_that_does_not_open_is_said_before_anything_is_served(tmp_path, software_token):
    home = signing.in_token(signing.folder(tmp_path / "home"), software_token)
    with started(home, SOFTHSM2_CONF="/nowhere") as (_, line):
        assert line["kind"] == "unavailable"
    assert not (home / process.SOCKET).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_refuses_to_stay_root(tmp_path):
    with started(signing.folder(tmp_path / "home"), "--uid", "0") as (_, line):
        assert "does not sign as root" in line["because"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_hung_up_on_even_where_the_socket_lets_them_in(tmp_path):
    """The mode of the socket keeps others out; whoever passes it is asked by the kernel who they are."""
    path = tmp_path / "socket"
    tmp_path.chmod(0o755)
    with process.bound(path) as listener:
        path.chmod(0o666)
        ask = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)"
        child = subprocess.Popen(["/usr/bin/env", "-i", sys.executable, "-c", ask, str(path)], user=None)
        connection = listener.accept()[0]
        assert process.peer(connection) == os.getuid()
        connection.close()
        child.wait(timeout=30)


def test_a_log_has_its_name():
    assert process.options(["/home", "--log", "a.eu/b"]).log == log_origin("a.eu/b")


def test_being_the_only_one_waits_for_the_one_before(tmp_path):
    home = signing.folder(tmp_path / "home")
    first = process.exclusive(home)
    threading.Timer(0.2, os.close, [first]).start()
    os.close(process.exclusive(home))
    held = process.exclusive(home)
    with pytest.raises(Unavailable, match="is running for"):
        process.exclusive(home)
    os.close(held)
