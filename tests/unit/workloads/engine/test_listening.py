import http.client
import json
import socket
import threading

import pytest

from ringfence.workloads.engine import listening
from ringfence.workloads.engine.inference import Served
from ringfence.workloads.engine.listening import Server
from ringfence.workloads.engine.tensors import Slot, shown


class Echo:
    inputs = outputs = (Slot("x", "FP32", (-1,)),)

    def run(self, tensors, outputs):
        return [shown(slot.name, slot.datatype, tensors[0].shape, tensors[0].data) for slot in outputs]


@pytest.fixture
def server():
    with Server(Served("small", "1.0", Echo())) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_requests_on_one_connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = json.dumps({"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}]})
    for _ in range(2):
        connection.request("POST", "/v2/models/small/infer", body)
        with connection.getresponse() as answer:
            assert (answer.status, json.load(answer)["outputs"][0]["data"]) == (200, [1, 2])
    connection.request("GET", "/v2/health/ready")
    with connection.getresponse() as answer:
        assert answer.status == 200
        answer.read()
    connection.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /v2/models/small/infer HTTP/1.1\r\nHost: x\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(server, head, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(head)
        said = b""
        while piece := sock.recv(4096):
            said += piece
    assert status in said.splitlines()[0] or status in said


def test_too_many_at_a_time_are_told_so(server):
    for _ in range(listening.MOST_AT_A_TIME):
        server.places.acquire()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/v2/health/ready")
    with connection.getresponse() as answer:
        assert answer.status == 503
        answer.read()
    connection.close()
