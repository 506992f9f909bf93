import json

import pytest

from ringfence.gateway.hotpath.problem import Problem, answer_bytes, status_line


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (429, "rate_limit_error"),
        (503, "server_error"),
    ],
)
def test_the_body_has_openais_shape(status, kind):
    told = json.loads(Problem(status, "a_code", "a sentence", param="model").body())
    assert told == {"error": {"message": "a sentence", "type": kind, "param": "model", "code": "a_code"}}


def test_headers_say_how_to_go_on():
    assert Problem(429, "x", "y", retry_after=7).headers() == b"retry-after: 7\r\n"
    assert Problem(401, "x", "y").headers() == b"www-authenticate: Bearer\r\n"
    assert Problem(400, "x", "y").headers() == b""


def test_an_answer_says_its_length_and_whether_it_is_the_last():
    assert answer_bytes(200, b"{}", b"a: b\r\n", close=True) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\na: b\r\nconnection: close\r\n\r\n{}"
    )
    assert status_line(299) == b"HTTP/1.1 299 \r\n"
