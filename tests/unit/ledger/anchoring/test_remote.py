"""The network behind anchoring, against a server that misbehaves."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.ledger.anchoring.model import Reply
from ringfence.ledger.anchoring.remote import HttpAnchors


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status, kind, answer, *headers = self.server.answers[self.path](body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("location", "/elsewhere")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self._send(answer)

    def _send(self, answer: bytes) -> None:
        for part in (answer[at : at + self.server.piece] for at in range(0, len(answer), self.server.piece)):  # type: ignore[attr-defined]
            try:
                self.wfile.write(part)
            except OSError:
                return  # nobody waits any longer
            time.sleep(self.server.pause)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.answers, server.piece, server.pause = {}, 2**20, 0.0  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_a_submission_goes_to_the_path_of_the_protocol(server, url) -> None:
    server.answers["/w/add-checkpoint"] = lambda body: (200, "text/plain", b"got " + body)
    assert HttpAnchors().submit(f"{url}/w", b"old 0") == Reply(200, "text/plain", "got old 0")


def test_nothing_is_followed_elsewhere(server, url) -> None:
    server.answers["/add-checkpoint"] = lambda _: (302, "text/plain", b"")
    assert HttpAnchors().submit(url, b"x").status == 302


def test_too_much_is_not_read(server, url) -> None:
    server.answers["/add-checkpoint"] = lambda _: (200, "text/plain", bytes(2**18))
    with pytest.raises(Unavailable, match="more than"):
        HttpAnchors().submit(url, b"x")


def test_whoever_sends_a_byte_now_and_then_is_left(server, url) -> None:
    """Each byte comes in time; the witness after it in the list would wait for days."""
    server.answers["/add-checkpoint"] = lambda _: (200, "text/plain", b"x" * 100)
    server.piece, server.pause = 1, 0.02
    with pytest.raises(Unavailable, match="does not come to an end"):
        HttpAnchors(within=0.3).submit(url, b"x")


def test_what_is_compressed_is_not_unpacked(server, url) -> None:
    """Some kilobytes would become gigabytes before anybody counts them."""
    packed = gzip.compress(b"hello")
    server.answers["/add-checkpoint"] = lambda _: (200, "text/plain", packed, ("content-encoding", "gzip"))
    with pytest.raises(Unavailable, match="compressed"):
        HttpAnchors().submit(url, b"x")


def test_only_the_answer_of_an_authority_is_taken(server, url) -> None:
    server.answers["/tsa"] = lambda _: (200, "application/timestamp-reply", b"token")
    assert HttpAnchors().stamp(f"{url}/tsa", b"x") == b"token"
    for status, kind in ((500, "application/timestamp-reply"), (200, "text/html")):
        server.answers["/tsa"] = lambda _, status=status, kind=kind: (status, kind, b"token")
        with pytest.raises(Unavailable, match="no time-stamping authority"):
            HttpAnchors().stamp(f"{url}/tsa", b"x")


def test_nobody_there_is_one_sentence(server, url) -> None:
    server.server_close()
    with pytest.raises(Unavailable, match="nothing answers"):
        HttpAnchors().submit(url, b"x")
