import asyncio

import pytest

from ringfence.redteam.answers import MAX_ANSWER
from ringfence.redteam.runner.address import Address
from ringfence.redteam.runner.connection import MAX_RAW, connect

GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-A: b\r\n\r\nhi"


def answered(*answers, times=1, end=True):
    """Return what a client makes of raw answers; a server that sends exactly those bytes is asked `times` times."""

    async def serve(reader, writer):
        try:
            for answer in answers:
                await reader.readuntil(b"\r\n\r\n{}")
                writer.write(answer)
            if end:
                await writer.drain()
            else:
                await reader.read()
        except OSError:
            pass
        finally:
            writer.close()
            gone.set()

    gone = asyncio.Event()

    async def ask():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        address = Address.of(f"http://127.0.0.1:{port}/v1")
        connection = await connect(address)
        try:
            found = [await asyncio.wait_for(connection.ask(address, b"{}"), 5) for _ in range(times)]
            return found, connection.usable
        finally:
            connection.close()
            await asyncio.wait_for(gone.wait(), 5)
            server.close()

    return asyncio.run(ask())


def test_a_connection_is_kept_for_the_next_request():
    found, usable = answered(GOOD, GOOD, times=2, end=False)
    assert [(one.status, one.body, one.headers["x-a"]) for one in found] == [(200, b"hi", "b")] * 2
    assert usable


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
    ],
)
def test_every_way_to_end_a_body_is_known(raw):
    assert answered(raw)[0][0].body == b"hi"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * MAX_ANSWER) + b"x" * (MAX_ANSWER + 1),
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * (MAX_RAW + 1),
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "short", "broken chunk", "headers", "too long", "one endless header", "no longer HTTP"],
)
def test_a_broken_answer_is_an_error_and_no_answer(raw, caplog):
    with pytest.raises(OSError, match="answer"):
        answered(raw, end=False) if len(raw) > MAX_RAW else answered(raw)
    assert not caplog.records  # an event loop logs what a callback lets through


def test_nobody_there_is_an_error():
    async def ask():
        await connect(Address.of("http://127.0.0.1:1/v1"))

    with pytest.raises(OSError):  # noqa: PT011 -- its words are the system's
        asyncio.run(ask())
