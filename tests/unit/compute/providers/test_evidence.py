import os
import socket

from ringfence.compute.providers import evidence
from ringfence.kernel.errors import Unavailable


def test_each_item_is_bounded_and_errors_are_content():
    def broken():
        raise Unavailable("the helper is gone")

    found = evidence.gather({"a": lambda: "x" * (evidence.LARGEST + 1), "b": broken, "c": lambda: "é"}, seconds=10)
    assert len(found["a"]) == evidence.LARGEST + len(b"\n[cut]")
    assert found["b"] == b"not taken: the helper is gone"
    assert found["c"] == "é".encode()


def test_time_that_is_up_is_said():
    assert evidence.gather({"a": lambda: "x"}, seconds=0) == {"a": b"not taken: the time was up"}


def test_processes_are_told_with_their_parents_and_starts():
    rows = evidence.processes(os.getpid()).splitlines()
    assert rows[0] == "pid ppid started command"
    assert rows[1].startswith(f"{os.getpid()} {os.getppid()} 20")


def test_sockets_are_told_with_their_peers():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        port, own = server.getsockname()[1], client.getsockname()[1]
        rows = evidence.sockets(os.getpid()).splitlines()
    assert f"tcp 127.0.0.1:{port} 0.0.0.0:0 listening" in rows
    assert f"tcp 127.0.0.1:{own} 127.0.0.1:{port} established" in rows


def test_of_the_log_the_end_is_kept(tmp_path):
    (tmp_path / "log.1").write_text("old\n" * 2**16)
    (tmp_path / "log").write_text("new\n")
    text = evidence.log_tail(tmp_path / "log")
    assert text.endswith("old\nnew\n")
    assert len(text) == evidence.LOG_TAIL
    assert evidence.log_tail(tmp_path / "absent") == ""


def test_what_a_process_calls_itself_stays_in_its_row():
    row = evidence.processes(os.getpid())
    assert "\r" not in row
    assert evidence.mounts(os.getpid())
    assert evidence.flows(["a", "b"]) == "a\nb"
