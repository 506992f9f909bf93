import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.requests import RequestReader
from ringfence.gateway.hotpath.tuning import Tuning

HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\n"


def reader(limit=1000, **tuning):
    return RequestReader(Tuning(**tuning), lambda _incoming: limit)


def refused(data, **facts):
    with pytest.raises(Problem) as caught:
        reader(**facts).feed(data)
    return caught.value.status, caught.value.code


@given(st.lists(st.integers(0, 120), max_size=8))
def test_requests_are_whole_wherever_the_bytes_are_cut(cuts):
    data = HEAD + b"Content-Length: 3\r\n\r\nabc" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    made = reader()
    for start, end in pairwise(places):
        if data[start:end]:
            made.feed(data[start:end])
    assert [each.body for each in made.ready] == [b"abc", b"de"]
    assert [each.target for each in made.ready] == [b"/x", b"/x"]
    assert made.now is None


def test_what_is_not_known_is_not_kept():
    made = reader()
    made.feed(HEAD + b"Authorization: Bearer x\r\nCookie: c\r\nUser-Agent: u\r\n\r\n")
    assert made.ready[0].fields == {b"host": b"h", b"authorization": b"Bearer x"}


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Host", "Expect"])
def test_a_header_that_counts_stands_once(name):
    assert refused(HEAD + f"{name}: a\r\n{name}: a\r\n\r\n".encode())[0] == 400


def test_what_does_not_end_is_bounded():
    assert refused(HEAD + b"A: " + b"x" * 300, head_bytes=200) == (431, "headers_too_large")
    assert refused(HEAD + b"A: b\r\n" * 6 + b"\r\n", head_fields=5) == (431, "headers_too_large")
    assert refused(HEAD + b"Content-Length: 11\r\n\r\n", limit=10) == (413, "body_too_large")
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert refused(chunked + b"b\r\n12345678901\r\n", limit=10) == (413, "body_too_large")
    assert refused(chunked + b"1;" + b"x" * 500, limit=10, head_bytes=200) == (413, "body_too_large")
    assert refused(HEAD + b"\r\n" + (HEAD + b"\r\n") * 3, pipelined=2) == (400, "too_many_pipelined")


def test_a_long_body_does_not_count_against_the_next_head():
    made = reader(limit=100_000, head_bytes=200)
    body = HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000
    made.feed(body + HEAD[:10])
    made.feed(HEAD[10:] + b"\r\n")
    assert len(made.ready) == 2


def test_a_refusal_of_the_head_comes_before_the_body():
    def unwelcome(_incoming):
        raise Problem(401, "no", "no")

    with pytest.raises(Problem) as caught:
        RequestReader(Tuning(), unwelcome).feed(HEAD + b"Content-Length: 5\r\n\r\n")
    assert caught.value.status == 401


def test_a_fault_of_our_own_is_not_blamed_on_the_caller():
    def broken(_incoming):
        raise KeyError("ours")

    with pytest.raises(KeyError):
        RequestReader(Tuning(), broken).feed(HEAD + b"\r\n")


def test_whether_the_caller_waits_for_a_word():
    made = reader()
    made.feed(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert made.expecting
    made.feed(b"abc")
    assert not made.expecting
    assert refused(HEAD + b"Expect: a-pony\r\n\r\n") == (417, "unknown_expectation")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(Problem):
        reader().feed(data)


def test_a_head_that_comes_again_means_the_same_and_is_judged_again():
    welcomed = []

    def welcome(incoming):
        welcomed.append((incoming.method, incoming.target, incoming.fields[b"authorization"]))
        return 9

    made = RequestReader(Tuning(), welcome)
    head = HEAD + b"Authorization: a\r\nContent-Length: %d\r\n\r\n"
    for body in (b"abc", b"\r\n\r\n?", b"", b"def"):
        made.feed(head % len(body) + body)
    assert [each.body for each in made.ready] == [b"abc", b"\r\n\r\n?", b"", b"def"]
    assert welcomed == 4 * [("POST", b"/x", b"a")]
    made.feed(head[:9])
    made.feed(head[9:] % 2 + b"gh")
    made.feed(head.replace(b"/x", b"/y") % 1 + b"i")
    assert [(each.target, each.body) for each in list(made.ready)[-2:]] == [(b"/x", b"gh"), (b"/y", b"i")]
    with pytest.raises(Problem) as caught:
        made.feed(head % 5 + b"12345" + head % 10 + b"1234567890")
    assert caught.value.code == "body_too_large"


def test_bounds_hold_for_a_head_that_comes_again():
    head = HEAD + b"Content-Length: %d\r\n\r\n"
    made = reader(limit=5)
    made.feed(head % 1 + b"a")
    with pytest.raises(Problem) as caught:
        made.feed(head % 6 + b"abcdef")
    assert caught.value.code == "body_too_large"
    made = reader(pipelined=2)
    for _ in range(2):
        made.feed(head % 1 + b"a")
    with pytest.raises(Problem) as caught:
        made.feed(head % 1 + b"a")
    assert caught.value.code == "too_many_pipelined"
    made = reader(head_bytes=200)
    made.feed(head % 1 + b"a")
    with pytest.raises(Problem):
        made.feed(head[:-2] % 1 + b"A: " + b"x" * 300)
