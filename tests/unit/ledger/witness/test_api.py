"""A witness waits for nobody who holds a connection and says nothing."""

import asyncio
import socket

import pytest
import uvicorn

from ringfence.ledger.witness.api import Hurried, config, create_app
from ringfence.testing.anchors import witnessing
from ringfence.testing.ledger import LabLog

GUARD = 30  # seconds after which a test that hangs has failed


class Quick(Hurried):
    within = 0.05


async def served(app, ask):
    """Serve an app on loopback, and return what `ask` makes of its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(config(app, Quick))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[door])
        try:
            return await asyncio.wait_for(ask(door.getsockname()[1]), GUARD)
        finally:
            await server.shutdown(sockets=[door])


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: 1\r\n"])
def test_who_begins_a_request_and_does_not_end_its_headers_is_let_go(clock, begun):
    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    assert asyncio.run(served(create_app(witnessing(LabLog().log_keys, clock)), ask)) == b""


def test_a_second_request_by_one_connection_is_hurried_too(clock):
    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET / HT")
        try:
            return await reader.read()
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.close()

    said = asyncio.run(served(create_app(witnessing(LabLog().log_keys, clock)), ask))
    assert said == b"reset" or said.count(b"HTTP/1.1 200") == 1


def test_an_answer_that_takes_longer_than_headers_may_is_given():
    async def slow(_scope, _receive, send):
        await asyncio.sleep(3 * Quick.within)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        said = await reader.read()
        writer.close()
        return said

    assert asyncio.run(served(slow, ask)).endswith(b"ok")
