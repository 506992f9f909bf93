"""The server behind the dummies: both routes of an OpenAI-compatible endpoint, on loopback only."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httptools

from ringfence.kernel.errors import Unavailable
from ringfence.redteam.dummies import Reply

HOST = "127.0.0.1"
MAX_BODY = 2**20
ROUTES = (b"/v1/chat/completions", b"/v1/completions")


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a dummy sends back."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False  # end the connection instead


React = Callable[[bytes, Mapping[str, Any]], Reaction]  # path and parsed body in


def speaking(reply: Reply) -> React:
    """Return how a dummy speaks: the texts of a request in, a chat or text completion out."""

    def react(path: bytes, asked: Mapping[str, Any]) -> Reaction:
        system, user = prompts(asked)
        return completion(path, reply(system, user))

    return react


def prompts(asked: Mapping[str, Any]) -> tuple[str, str]:
    """Return system and user text of a request of either route."""
    match asked:
        case {"messages": list() as messages}:
            said = [(m.get("role"), str(m.get("content"))) for m in messages if isinstance(m, dict)]
            system = "\n".join(text for role, text in said if role == "system")
            return system, "\n".join(text for role, text in said if role != "system")
        case {"prompt": str() as prompt}:
            system, _, user = prompt.partition("User: ")
            return system.strip(), user.removesuffix("\nAssistant:")
        case _:
            return "", ""


def completion(path: bytes, text: str, finish: str = "stop") -> Reaction:
    """Return an answer of the shape that the route has."""
    said: dict[str, Any] = (
        {"message": {"role": "assistant", "content": text}} if path.startswith(ROUTES[0]) else {"text": text}
    )
    tokens = len(text.split())
    return Reaction(
        json.dumps(
            {
                "id": "dummy",
                "object": "chat.completion",
                "created": 0,
                "model": "dummy",
                "choices": [{"index": 0, "finish_reason": finish, **said}],
                "usage": {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens},
            }
        ).encode()
    )


class _Served(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, react: React) -> None:
        self._react = react
        self._transport: asyncio.Transport | None = None
        self._clear()

    def _clear(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end()

    def on_url(self, url: bytes) -> None:
        """Keep the path."""
        self._path += url

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body += body
        if len(self._body) > MAX_BODY:
            self._end()

    def on_message_complete(self) -> None:
        """Answer, at once or after the delay that was asked for."""
        reaction = self._reaction()
        self._clear()
        if reaction.delay:
            asyncio.get_running_loop().call_later(reaction.delay, self._send, reaction)
        else:
            self._send(reaction)

    def _reaction(self) -> Reaction:
        try:
            asked = json.loads(self._body or b"{}")
        except (ValueError, RecursionError):
            return _problem(400, "the body is not JSON")
        if self._path not in ROUTES or not isinstance(asked, dict):
            return _problem(404, "a dummy answers /v1/chat/completions and /v1/completions")
        return self._react(self._path, asked)

    def _send(self, reaction: Reaction) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if reaction.hang_up:
            self._end()
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in reaction.headers.items())
        head = (
            f"HTTP/1.1 {reaction.status} \r\ncontent-type: application/json\r\n{extra}"
            f"content-length: {len(reaction.body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + reaction.body)

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _problem(status: int, message: str) -> Reaction:
    return Reaction(json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode(), status)


@asynccontextmanager
async def served(react: React, port: int = 0) -> AsyncIterator[int]:
    """Serve a dummy on loopback; give its port."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: _Served(react), HOST, port)
    except OSError as error:
        raise Unavailable(
            f"port {port} cannot be opened: {error.strerror or error}; choose another with --port"
        ) from error
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
