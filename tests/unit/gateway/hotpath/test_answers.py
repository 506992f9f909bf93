import hashlib

import pytest

from ringfence.gateway.commitments import ResponseCommitment
from ringfence.gateway.hotpath.answers import REPORTING, TAIL, WHOLE, EventAnswer, WholeAnswer
from ringfence.gateway.hotpath.events import LONGEST_EVENT

SALT = b"s" * 32


def committed(data):
    return hashlib.sha256(SALT + data).digest()


def test_a_short_body_leaves_at_the_end_in_one_piece():
    answer = WholeAnswer(200, b"application/json", b"a: b\r\n", SALT, None)
    assert answer.add(b'{"x":') == b""
    assert answer.add(b"1}") == b""
    assert answer.last() == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\na: b\r\ncontent-length: 7\r\n\r\n" + b'{"x":1}'
    )
    assert answer.committed() == committed(b'{"x":1}')
    assert (answer.sent, answer.events, answer.chain, answer.tail()) == (7, 0, b"", b'{"x":1}')


@pytest.mark.parametrize("length", [None, 3 * WHOLE])
def test_a_long_body_leaves_but_for_its_last_piece(length):
    answer, pieces = WholeAnswer(200, b"x/y", b"", SALT, length), [bytes([number]) * WHOLE for number in range(3)]
    assert answer.add(pieces[0]) == b""
    first = answer.add(pieces[1])
    assert pieces[0] in first
    assert pieces[1] not in first
    assert (b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length) in first
    assert answer.committed() == committed(pieces[0])
    second = answer.add(pieces[2])
    assert pieces[2] not in second
    last = answer.last()
    assert pieces[2] in last
    assert last.endswith(b"0\r\n\r\n") is (length is None)
    assert answer.committed() == committed(b"".join(pieces))


def test_events_leave_in_chunks_of_their_own_and_done_waits():
    answer = EventAnswer(200, b"text/event-stream", b"", SALT)
    assert answer.add(b"data: a") == b""
    assert answer.add(b"\n\ndata: b\n\ndata: [DONE]\n\n").endswith(
        b"transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n"
    )
    assert answer.events == 2
    assert answer.last() == b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    expected = ResponseCommitment(SALT)
    for event in (b"data: a\n\n", b"data: b\n\n", b"data: [DONE]\n\n"):
        expected.event(event)
    assert (answer.committed(), answer.chain, answer.events) == (expected.value, expected.chain, 3)


def test_what_follows_done_lets_it_go():
    answer = EventAnswer(200, b"text/event-stream", b"", SALT)
    answer.add(b"data: [DONE]\n\n")
    assert answer.add(b"data: more\n\n") == b"e\r\ndata: [DONE]\n\n\r\nc\r\ndata: more\n\n\r\n"


def test_a_rest_without_its_end_is_not_lost():
    answer = EventAnswer(200, b"text/event-stream", b"", SALT)
    assert answer.add(b"data: a") == b""
    assert answer.last().endswith(b"7\r\ndata: a\r\n0\r\n\r\n")


@pytest.mark.parametrize("together", [True, False])
def test_of_a_stream_the_ends_of_its_last_events_are_kept(together):
    answer = EventAnswer(200, b"text/event-stream", b"", SALT)
    events = [b"data: %d\n\n" % number for number in range(REPORTING)] + [b"data: " + b"x" * 2 * TAIL + b"\n\n"]
    for data in [b"".join(events)] if together else events:
        answer.add(data)
    assert answer.tail() == b"".join(events[1:-1]) + events[-1][-TAIL:]


def test_an_event_that_does_not_end_is_noticed():
    answer = EventAnswer(200, b"text/event-stream", b"", SALT)
    answer.add(b"x" * LONGEST_EVENT)
    assert not answer.overlong
    answer.add(b"x")
    assert answer.overlong


def test_an_event_that_comes_in_one_piece_is_treated_as_all_others():
    answer, expected = EventAnswer(200, b"text/event-stream", b"", SALT), ResponseCommitment(SALT)
    events = [b"data: a\n\n", b"data: b\n\n", b'data: {"usage": {}}\n\n', b"data: [DONE]\n\n"]
    left = [answer.add(event) for event in events]
    for event in events:
        expected.event(event)
    assert left[1:] == [b"9\r\ndata: b\n\n\r\n", b"15\r\n" + events[2] + b"\r\n", b""]
    assert events[2] in answer.tail()
    assert answer.last() == b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    assert (answer.committed(), answer.chain, answer.events) == (expected.value, expected.chain, 4)
    assert answer.sent == sum(map(len, events))
