"""A small HTTP server of the loopback for models that bring none; the gateway is its only caller."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ringfence.workloads.engine.inference import Served

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 16 * 2**20
DIGITS = 18  # of a size that is read as a number at all
SECONDS = 30.0  # for a caller that sends or takes nothing
MOST_AT_A_TIME = 32


class Server(ThreadingHTTPServer):
    """Answers for one model."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, served: Served) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.served = served
        self.places = threading.BoundedSemaphore(MOST_AT_A_TIME)

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    server: Server
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._say(*self._answer(b""))

    def do_POST(self) -> None:
        size = self.headers.get("content-length", "")
        if "transfer-encoding" in self.headers or not size.isascii() or not size.isdecimal():
            self.close_connection = True
            self._say(411, {"error": "a request has a Content-Length"})
        elif len(size) > DIGITS or int(size) > LARGEST_BODY:
            self.close_connection = True
            self._say(413, {"error": f"a request has at most {LARGEST_BODY} bytes"})
        else:
            body = self.rfile.read(int(size))
            if len(body) == int(size):
                self._say(*self._answer(body))

    def _answer(self, body: bytes) -> tuple[int, dict[str, object]]:
        if not self.server.places.acquire(blocking=False):
            return 503, {"error": "too many requests at a time"}
        try:
            return self.server.served.answer(self.command, self.path, body)
        finally:
            self.server.places.release()

    def _say(self, status: int, document: dict[str, object]) -> None:
        data = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """Say nothing: what callers ask is nobody's business here."""
