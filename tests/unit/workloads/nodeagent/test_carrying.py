"""What carries a message to the agent's keeper: it waits for one that starts, says why there is no answer, is light."""

import json
import socket
import subprocess
import sys
import threading

import pytest

from ringfence.workloads.nodeagent import carrying


@pytest.fixture
def server(tmp_path):
    """A socket that is bound, and to which nobody listens yet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(str(tmp_path / "keeper"))
        made.settimeout(10)
        yield made


def answering(server, answer):
    """Listen, take one message to its end of line, and answer."""
    server.listen(1)
    connection, _ = server.accept()
    with connection:
        while not connection.recv(65_536).endswith(b"\n"):
            pass
        connection.sendall(answer)


def asked(tmp_path, **more):
    return carrying.ask(str(tmp_path / "keeper"), b"{}\n", **more)


def test_the_answer_comes_back_as_it_is(tmp_path, server):
    answer = b"a" * 3_000_000 + b"\n"
    thread = threading.Thread(target=answering, args=(server, answer))
    thread.start()
    assert asked(tmp_path) == answer
    thread.join(10)


def test_a_keeper_that_does_not_listen_yet_is_waited_for(tmp_path, server):
    late = threading.Timer(0.3, answering, args=(server, b"{}\n"))
    late.start()
    assert asked(tmp_path) == b"{}\n"
    late.join(10)


@pytest.mark.usefixtures("server")
def test_where_no_keeper_runs_that_is_the_answer(tmp_path):
    refused = {"error": "the agent's keeper does not run"}
    assert json.loads(asked(tmp_path, patience=0.0)) == refused
    assert json.loads(carrying.ask(str(tmp_path / "nothing"), b"{}\n", patience=0.0)) == refused


def test_a_keeper_that_says_nothing_has_ended(tmp_path, server):
    thread = threading.Thread(target=answering, args=(server, b""))
    thread.start()
    assert json.loads(asked(tmp_path)) == {"error": "the agent's keeper ended before it answered"}
    thread.join(10)


def test_it_imports_next_to_nothing():
    """Every login to an agent does; on an emulated machine the modules of the keeper take seconds."""
    script = "import sys; import ringfence.workloads.nodeagent.carrying; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    found = set(done.stdout.split())
    assert not found & {"json", "re", "hashlib", "dataclasses", "typing", "cryptography", "ringfence.kernel"}
    assert len([name for name in found if name.startswith("ringfence.")]) == 4
