import json
from dataclasses import replace

import pytest

from ringfence.gateway.deployments import Attach
from ringfence.gateway.keys import KeyState, state
from ringfence.gateway.model import DeploymentName, DeploymentState, Protocol
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, Unavailable, UsageError
from ringfence.testing.callers import World
from ringfence.testing.home import TENANT
from ringfence.testing.upstreams import Engine
from ringfence.workloads.console.asking import LONGEST, TOKENS, TRIES, Asking, question

NAME, REQUEST = DeploymentName("small"), "req-" + "0" * 32
COMPLETION = {"choices": [{"text": " Paris", "logprobs": 0.5}], "usage": {"completion_tokens": 2}}


def saying(status, document, **headers):
    async def behave(_, writer):
        body = json.dumps(document).encode()
        head = {"content-type": "application/json", "content-length": len(body), "connection": "close"} | headers
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in head.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)

    return behave


ANSWERS = saying(200, COMPLETION, x_request_id=REQUEST, x_ringfence_model_digest="sha256:" + "0" * 64)


@pytest.fixture
def caller(home):
    return home.actor(Role.ENGINEER)


@pytest.fixture
def deployed(services, caller):
    gateway = replace(services.serving.gateway, engines=World())
    return gateway.attach(caller, Attach(NAME, "http://127.0.0.1:9/v1"))[0]


@pytest.fixture
def asking(services):
    def make(engine):
        return Asking(services.serving.gateway, lambda: engine.port, lambda _: None)

    return make


def keys(services):
    now = services.clock.now()
    return [(key.deployments, state(key, now)) for key in services.serving.gateway.keys(TENANT)]


def test_an_answer_comes_through_the_gateway_with_the_id_of_its_receipt(asking, caller, deployed, services):
    with Engine(behave=ANSWERS) as engine:
        answer = asking(engine).ask(caller, deployed, "The capital of France is")
        (asked,) = engine.requests
    assert (answer.text, answer.request, answer.tokens) == (" Paris", REQUEST, 2)
    assert asked.path == "/v1/completions"
    assert asked.document == {
        "model": NAME, "prompt": "The capital of France is", "max_tokens": TOKENS, "temperature": 0,
    }  # fmt: skip
    assert keys(services) == [((NAME,), KeyState.REVOKED)]


@pytest.mark.parametrize(
    "behave",
    [saying(503, {"error": {"message": "no receipt can be kept"}}), saying(200, {"choices": []}), saying(200, [])],
)
def test_no_key_outlives_its_question_whatever_comes_back(behave, asking, caller, deployed, services):
    with Engine(behave=behave) as engine, pytest.raises(Unavailable):
        asking(engine).ask(caller, deployed, "x")
    assert keys(services) == [((NAME,), KeyState.REVOKED)]


def test_why_the_gateway_refuses_is_told_in_its_own_words(asking, caller, deployed):
    refuses = saying(503, {"error": {"message": "no receipt can be kept\n"}})
    with Engine(behave=refuses) as engine, pytest.raises(Unavailable, match=r"503: no receipt can be kept\?"):
        asking(engine).ask(caller, deployed, "x")


def test_a_gateway_that_has_not_read_of_the_key_is_asked_again(asking, caller, deployed):
    with Engine() as engine:
        refuses = saying(401, {"error": {"message": "unknown key"}})

        async def later(received, writer):
            await (ANSWERS if len(engine.requests) > 1 else refuses)(received, writer)

        engine.behave = later
        assert asking(engine).ask(caller, deployed, "x").text == " Paris"
        engine.behave, asked = refuses, len(engine.requests)
        with pytest.raises(Unavailable, match="401: unknown key"):
            asking(engine).ask(caller, deployed, "x")
        assert len(engine.requests) == asked + TRIES


def test_without_a_gateway_no_key_is_issued(services, caller, deployed):
    with pytest.raises(Unavailable, match="does not run"):
        Asking(services.serving.gateway, lambda: None).ask(caller, deployed, "x")
    assert keys(services) == []


@pytest.mark.parametrize(
    ("changes", "prompt", "wrong"),
    [
        ({"state": DeploymentState.FAILED}, "x", Conflict),
        ({"protocol": Protocol.INFERENCE_V2}, "x", UsageError),
        ({}, " \n", MalformedInput),
        ({}, "x" * (LONGEST + 1), MalformedInput),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_issued(deployed, changes, prompt, wrong):
    with pytest.raises(wrong):
        question(replace(deployed, **changes), prompt)
