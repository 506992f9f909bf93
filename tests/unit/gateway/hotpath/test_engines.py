import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.records import Because
from ringfence.testing.gateway import deployment
from ringfence.testing.gateway_desk import Asker, DeskLab, until
from ringfence.testing.upstreams import Engine, raw, whole


def asked(*pieces):
    """Ask, let these bytes arrive; return who asked, and the connection."""

    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        lab.engine.protocol._pool.ask(asker, b"question")
        assert lab.engine.sent == b"question"
        for piece in pieces:
            lab.engine.receive(piece)
        return asker, lab.engine

    return asyncio.run(run())


@given(st.lists(st.integers(0, 150), max_size=6), st.booleans())
def test_an_answer_is_whole_wherever_the_bytes_are_cut(cuts, chunked):
    body = b'{"answer": 42}'
    data = whole(body)
    if chunked:
        data = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n"
            + body[:4]
            + b"\r\na\r\n"
            + body[4:]
            + b"\r\n0\r\n\r\n"
        )
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + data
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    asker, connection = asked(*(data[a:b] for a, b in pairwise(places) if data[a:b]))
    assert (asker.status, asker.body, asker.ended, asker.failure) == (200, body, True, None)
    assert not connection.closed


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Type: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 15_000,
        whole(b"{}") + b"HTTP/1.1 ",
        whole(b"{}") + b"x",
    ],
)
def test_an_answer_that_breaks_the_protocol_is_none(answer):
    asker, connection = asked(answer)
    assert asker.failure[0] is Because.UPSTREAM_LIED
    assert not asker.ended
    assert connection.closed


def test_bytes_that_nobody_asked_for_end_the_connection():
    async def run():
        lab = DeskLab(asyncio.get_running_loop())
        lab.engine.receive(whole(b"{}"))
        return lab.engine.closed, lab.engine.protocol._pool.idle

    assert asyncio.run(run()) == (True, [])


def test_a_connection_is_kept_unless_the_engine_closes_it():
    asker, kept = asked(whole(b"{}"))
    assert kept.protocol._pool.idle == [kept.protocol]
    asker, ended = asked(whole(b"{}").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert asker.ended
    assert ended.closed
    assert ended.protocol._pool.idle == []


def test_a_kept_connection_that_closes_before_its_answer_is_replaced_once():
    async def run(engine):
        lab = DeskLab(asyncio.get_running_loop(), deployments=[deployment(url=engine.url)])
        pool, first, second = lab.engine.protocol._pool, Asker(), Asker()
        pool.ask(first, b"question")
        lab.engine.receive(whole(b"{}"))
        pool.ask(second, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        lab.engine.lose()
        await until(lambda: second.ended or second.failure)
        pool.close()
        return second.body

    with Engine(raw(whole(b"again"))) as engine:
        assert asyncio.run(run(engine)) == b"again"


def test_a_new_connection_that_closes_is_not_asked_again():
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        lab.engine.protocol._pool.ask(asker, b"question")
        lab.engine.lose()
        return asker.failure[0]

    assert asyncio.run(run()) is Because.UPSTREAM_DIED


def test_time_stands_still_while_the_caller_is_slow():
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        lab.engine.protocol._pool.ask(asker, b"question")
        asker.connection.pause()
        lab.engine.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        assert asker.connection.deadline == float("inf")
        asker.connection.resume()
        return asker.connection.deadline - lab.loop.time()

    assert 0 < asyncio.run(run()) <= 121


@pytest.mark.parametrize("more", [b"", b"x"])
def test_an_answer_with_a_head_that_comes_again_is_as_good_as_the_first(more):
    async def run():
        lab, askers = DeskLab(asyncio.get_running_loop()), []
        for body in (b'{"a": 1}', b'{"a": 2}', b"", b'{"a": 3}' + more):
            askers.append(Asker())
            lab.engine.protocol._pool.ask(askers[-1], b"question")
            lab.engine.receive(whole(body) if body != b'{"a": 3}x' else whole(body[:-1]) + b"x")
        return askers, lab.engine.closed

    askers, closed = asyncio.run(run())
    assert [(each.status, each.body, each.ended) for each in askers[:3]] == [
        (200, b'{"a": 1}', True),
        (200, b'{"a": 2}', True),
        (200, b"", True),
    ]
    if more:
        assert (askers[3].failure[0], askers[3].ended, closed) == (Because.UPSTREAM_LIED, False, True)
    else:
        assert (askers[3].body, askers[3].failure, closed) == (b'{"a": 3}', None, False)


def test_a_connection_is_read_again_after_an_answer_that_was_held_back():
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        asker.answered = lambda _data: asker.connection.pause()
        lab.engine.protocol._pool.ask(asker, b"question")
        lab.engine.receive(whole(b"{}"))
        return asker.ended, lab.engine.paused, lab.engine.protocol._pool.idle == [lab.engine.protocol]

    assert asyncio.run(run()) == (True, False, True)


def test_a_status_without_a_body_gets_none_from_a_head_that_comes_again():
    async def run():
        lab, first, second = DeskLab(asyncio.get_running_loop()), Asker(), Asker()
        for asker, body in ((first, b""), (second, b"another")):
            lab.engine.protocol._pool.ask(asker, b"question")
            lab.engine.receive(whole(body, status="204 No Content"))
        return first.ended, second.ended, second.body

    assert asyncio.run(run()) == (True, False, b"")


def test_a_new_connection_that_is_gone_already_is_not_waited_for():
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        lab.engine.lose()
        lab.engine.protocol.ask(asker, b"question")
        return asker.failure[0], lab.desk.pool(lab.desk.targets.ready()[0].engine).busy

    assert asyncio.run(run()) == (Because.UPSTREAM_DIED, set())
