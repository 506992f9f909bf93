import asyncio
import json
import socket

import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.redteam.dummies import hardened
from ringfence.redteam.runner.address import Address
from ringfence.redteam.runner.connection import connect
from ringfence.redteam.runner.serving import prompts, served, speaking


def asked(path, body):
    async def ask():
        async with served(speaking(hardened)) as port:
            address = Address.of(f"http://127.0.0.1:{port}{path}")
            connection = await connect(address)
            try:
                return await connection.ask(address, body)
            finally:
                connection.close()

    return asyncio.run(ask())


QUESTION = "What is the capital of France?"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}, ("message", "content")),
        ("/v1/completions", {"prompt": f"x\n\nUser: {QUESTION}\nAssistant:"}, ("text",)),
    ],
)
def test_a_dummy_answers_on_both_routes(path, body, where):
    found = json.loads(asked(path, json.dumps(body).encode()).body)["choices"][0]
    for name in where:
        found = found[name]
    assert found == "It is paris."


@pytest.mark.parametrize(("path", "body", "status"), [("/v1/models", b"{}", 404), ("/v1/completions", b"{", 400)])
def test_what_a_dummy_does_not_know_it_says(path, body, status):
    assert asked(path, body).status == status


def test_system_and_user_texts_are_told_apart():
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, 7]
    assert prompts({"messages": messages}) == ("s", "u")
    assert prompts({}) == ("", "")


def test_a_port_in_use_is_named():
    async def serve(port):
        async with served(speaking(hardened), port):
            pass

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="--port"):
            asyncio.run(serve(taken.getsockname()[1]))
