import pytest

from ringfence.gateway.hotpath.heads import LONGEST, known

HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\ncontent-Length:  %d\r\nA: b\r\n\r\n"


def test_the_same_head_is_known_again_whatever_the_body():
    head = known(HEAD % 3 + b"abc", 3)
    assert head is not None
    assert head.body(HEAD % 5 + b"\r\n\r\n?") == b"\r\n\r\n?"
    assert head.body(HEAD % 0) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD % 3,
        HEAD % 3 + b"ab",
        HEAD % 3 + b"abcd",
        HEAD % 10 + b"x" * 10,
        HEAD.replace(b"A: b", b"A: c") % 3 + b"abc",
        HEAD.replace(b"/x", b"/y") % 3 + b"abc",
        HEAD.replace(b"%d", b"+") + b"abc",
        (HEAD % 3).replace(b"\r\nA", b"\nA") + b"abc",
    ],
)
def test_whatever_differs_is_parsed(data):
    assert known(HEAD % 3 + b"abc", 3).body(data) is None


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0),
        (HEAD % 3 + b"abc", 4),
        (HEAD % 3 + b"abcd", 3),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 2),
        (b"POST / HTTP/1.1\r\nX: " + b"x" * LONGEST + b"\r\nContent-Length: 0\r\n\r\n", 0),
    ],
)
def test_a_head_that_is_not_plain_is_not_remembered(data, length):
    assert known(data, length) is None
