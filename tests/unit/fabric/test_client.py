import os
import socket
import threading

import pytest

from ringfence.fabric import protocol
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Cut, PortState
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, Unavailable


@pytest.fixture
def answering(tmp_path):
    """Answer one question, as a helper would; what was asked ends up in the list."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    directory = os.open(tmp_path, os.O_PATH)
    listener.bind(f"/proc/self/fd/{directory}/socket")
    listener.listen(1)
    threads, asked = [], []

    def prepare(reply, descriptor=None):
        def work():
            connection, _ = listener.accept()
            with connection:
                asked.append(protocol.parse_question(connection.recv(5000)))
                if reply:
                    socket.send_fds(connection, [reply], [descriptor] if descriptor is not None else [])

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return Fabric(tmp_path), asked

    yield prepare
    for thread in threads:
        thread.join()
    listener.close()
    os.close(directory)


def test_a_cut_is_told(answering):
    fabric, asked = answering(protocol.answer({"cut": ["a", "0" * 64, 12, False]}))
    assert fabric.quarantine("a") == Cut("a", "0" * 64, 12, durable=False)
    assert asked == [("quarantine", {"node": "a"})]


def test_states_are_told(answering):
    fabric, _ = answering(protocol.answer({"nodes": {"a": "quarantined"}}))
    assert fabric.nodes() == {"a": PortState.QUARANTINED}


def test_errors_are_raised_as_the_helper_meant_them(answering):
    fabric, _ = answering(protocol.problem(Conflict("the policy changed")))
    with pytest.raises(Conflict, match="the policy changed"):
        fabric.release("a", before="0" * 64)


def test_a_helper_that_dies_while_asked_is_told(answering):
    fabric, _ = answering(b"")
    with pytest.raises(Unavailable, match="ask again"):
        fabric.quarantine("a")


def test_a_connection_comes_as_an_open_file(answering):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        fabric, _ = answering(b"{}", connection.fileno())
        with fabric.connect("a") as passed:
            assert passed.getpeername() == server.getsockname()


def test_an_answer_without_its_file_is_no_answer(answering):
    fabric, _ = answering(b"{}")
    with pytest.raises(InternalError):
        fabric.connect("a")


def test_what_is_malformed_is_not_even_asked(tmp_path):
    with pytest.raises(MalformedInput):
        Fabric(tmp_path).admit("no such name!")
