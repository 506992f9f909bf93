"""Engines as they answer, on the loopback address."""

import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.gateway import address
from ringfence.gateway.model import Protocol
from ringfence.kernel.errors import Unavailable
from ringfence.workloads.probing import HttpEngines


@contextmanager
def engine(status=200, body=b'{"data":[{"id":"tiny"}]}', **headers):
    """Serve one answer to every GET; give the address and the paths and keys that were asked for."""
    asked = []

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("authorization")))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def ask(url, protocol=Protocol.OPENAI, credential=""):
    return HttpEngines().ask(address.parse(url, protocol), protocol, credential)


def test_an_engine_lists_its_models():
    with engine(body=b'{"object":"list","data":[{"id":"a"},{"id":""},{"id":1},7,{"id":"b\\n"},{"id":"c"}]}') as (
        url,
        asked,
    ):
        seen = ask(url, credential="sk-1")
    assert (seen.models, seen.ready) == (("a", "c"), True)
    assert asked == [("/v1/models", "Bearer sk-1")]


def test_an_engine_of_the_other_protocol_is_ready():
    with engine(body=b"") as (url, asked):
        seen = ask(url, Protocol.INFERENCE_V2)
    assert (seen.models, seen.ready, asked) == ((), True, [("/v2/health/ready", None)])


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b"", "--api-key-file"),
        (404, b"", "says 404"),
        (302, b"", "says 302"),
        (200, b"<html>", "does not list models"),
        (200, b'{"data":1}', "does not list models"),
        (200, b"[1]", "does not list models"),
        (200, b" " * (2**20 + 1), "more than"),
    ],
)
def test_what_does_not_answer_as_an_engine_does_is_none(status, body, says):
    with engine(status, body, location="http://127.0.0.1:1/") as (url, _), pytest.raises(Unavailable, match=says):
        ask(url)


def test_where_nobody_listens_nobody_answers():
    with engine() as (url, _):
        pass
    with pytest.raises(Unavailable, match="no engine answers"):
        ask(url)
