"""The agent's program: messages there and back over a real socket, bounded, and an end with the last lease."""

import json
import socket
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.workloads.nodeagent import bounds, carrying, program


class Keeping:
    """Answers with what it was asked, and ends when it is told to."""

    def __init__(self):
        self.ended = self.dropped = False

    def answer(self, request, content):
        self.ended = "end" in request
        return {"request": request, "size": len(content)}

    def expire(self):
        return 5.0

    def drop_all(self):
        self.dropped = True


@contextmanager
def serving(tmp_path):
    keeping, place = Keeping(), tmp_path / "keeper"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(place))
        server.listen(8)
        thread = threading.Thread(target=program.serve, args=(server, keeping), daemon=True)
        thread.start()
        try:
            yield place, keeping
        finally:
            if not keeping.ended:
                carrying.ask(str(place), b'{"end":1}\n')
            thread.join(10)
            assert not thread.is_alive()
            assert keeping.dropped


def asked(place, message):
    return json.loads(carrying.ask(str(place), message))


def test_a_message_and_the_bytes_behind_it_arrive(tmp_path):
    with serving(tmp_path) as (place, _):
        assert asked(place, b'{"do":"x"}\n') == {"request": {"do": "x"}, "size": 0}
        content = bytes(3_000_000)
        message = json.dumps({"do": "x", "size": len(content)}).encode() + b"\n" + content
        assert asked(place, message) == {"request": {"do": "x"}, "size": len(content)}


@pytest.mark.parametrize(
    "message",
    [
        b"\n",
        b"nothing\n",
        b"[]\n",
        b'{"size":-1}\n',
        b'{"size":true}\n',
        b'{"size":"1"}\n',
        b'{"size":1}\nxy',
        json.dumps({"size": bounds.LARGEST + 1}).encode() + b"\n",
        b"[" * 100_000 + b"\n",
        b"x" * (bounds.LONGEST_LINE + 1),
    ],
)
def test_a_message_of_another_form_is_answered_with_an_error_and_the_next_one_is_heard(tmp_path, message):
    with serving(tmp_path) as (place, _):
        assert set(asked(place, message)) == {"error"}
        assert asked(place, b'{"do":"x"}\n')["size"] == 0


def test_who_goes_away_in_the_middle_stops_nobody(tmp_path):
    with serving(tmp_path) as (place, _):
        for said in (b"", b'{"do"', b'{"size":10}\nabc'):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(place))
                connection.sendall(said)
        assert asked(place, b"{}\n")["size"] == 0


def test_it_ends_with_the_last_lease(tmp_path):
    with serving(tmp_path) as (place, keeping):
        asked(place, b'{"end":1}\n')
    assert keeping.ended


def test_whom_nobody_hears_any_more_is_told(tmp_path):
    place = tmp_path / "keeper"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(place))
        server.listen(8)
        ended = Keeping()
        ended.ended = True
        thread = threading.Timer(0.2, program.serve, args=(server, ended))
        thread.start()
        assert set(asked(place, b"{}\n")) == {"error"}
        thread.join(10)


@given(st.binary(max_size=60))
def test_any_line_is_read_or_refused(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data + b"\n")
        ours.shutdown(socket.SHUT_WR)
        found = json.loads(program._answered(theirs, lambda request, content: {"done": [request, len(content)]}))
        assert set(found) in ({"done"}, {"error"})
