import socketserver
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import pytest

from ringfence.gateway.model import Protocol
from ringfence.workloads.readiness import is_ready


class Engine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in self.server.good else 503)
        self.end_headers()

    def log_message(self, *_arguments):
        """Stay quiet."""

    def address_string(self):
        return "socket"


class Server(socketserver.ThreadingUnixStreamServer):
    good = ()


@pytest.fixture
def server(tmp_path):
    with Server(str(tmp_path / "e.sock"), Engine) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_an_engine_says_so_itself(server, tmp_path):
    server.good = ("/health",)
    assert is_ready(tmp_path / "e.sock", Protocol.OPENAI)
    assert not is_ready(tmp_path / "e.sock", Protocol.INFERENCE_V2)
    server.good = ("/v2/health/ready",)
    assert is_ready(tmp_path / "e.sock", Protocol.INFERENCE_V2)


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(tmp_path):
    class Drip(socketserver.StreamRequestHandler):
        def handle(self):
            with suppress(OSError):
                for byte in b"HTTP/1.1 200\n":
                    time.sleep(0.05)
                    self.wfile.write(bytes([byte]))

    with Server(str(tmp_path / "d.sock"), Drip) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert not is_ready(tmp_path / "d.sock", Protocol.OPENAI, within=0.2)
        thread.join()


def test_whatever_else_happens_means_no(tmp_path):
    assert not is_ready(tmp_path / "absent.sock", Protocol.OPENAI)
    (tmp_path / "file.sock").write_bytes(b"")
    assert not is_ready(tmp_path / "file.sock", Protocol.OPENAI)
