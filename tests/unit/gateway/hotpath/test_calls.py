import asyncio

import pytest

from ringfence.gateway.hotpath.access import Access
from ringfence.gateway.hotpath.callers import Shown
from ringfence.gateway.hotpath.calls import current, described, prepared, welcome
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.requests import Incoming
from ringfence.gateway.model import Protocol, RequestId
from ringfence.testing.gateway import LIMITS, SECRET, deployment
from ringfence.testing.gateway_desk import DeskLab

REQUEST = RequestId("req-" + "0" * 32)


def incoming(target=b"/v1/chat/completions", method="POST", body=b"", **fields):
    made = Incoming({})
    made.method, made.target, made.body = method, target, body
    made.fields = {b"authorization": b"Bearer " + SECRET.encode()}
    made.fields |= {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return made


def in_loop(test, **facts):
    async def run():
        return test(DeskLab(asyncio.get_running_loop(), **facts).desk)

    return asyncio.run(run())


def test_how_long_a_body_may_be():
    assert in_loop(lambda desk: welcome(desk, incoming(), Shown())) == LIMITS.body_bytes
    assert in_loop(lambda desk: welcome(desk, incoming(b"/v1/models", "GET"), Shown())) == 0
    assert in_loop(lambda desk: welcome(desk, incoming(b"/healthz", "GET", authorization=b"x"), Shown())) == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content_type": b"text/plain"}, "content_type"),
        ({"content_encoding": b"br"}, "content_encoding"),
        ({"inference_header_content_length": b"3"}, "binary_tensors"),
        ({"authorization": b"Bearer x"}, "missing_api_key"),
    ],
)
def test_a_head_that_is_not_welcome(fields, code):
    with pytest.raises(Problem) as caught:
        in_loop(lambda desk: welcome(desk, incoming(**fields), Shown()))
    assert caught.value.code == code


def test_a_character_set_may_be_named():
    assert in_loop(lambda desk: welcome(desk, incoming(content_type=b"Application/JSON; charset=utf-8"), Shown())) > 0


def test_the_engines_question():
    def test(desk):
        request = incoming(body=b'{"model" : "small", "x": "\xc3\xa9"}')
        welcome(desk, request, Shown())
        call = prepared(desk, request, request.called, Access(REQUEST, "", 0))
        assert call.caller.usage.running == 1
        return call

    head, _, body = in_loop(test).question.partition(b"\r\n\r\n")
    assert body == b'{"model" : "engine-model", "x": "\xc3\xa9"}'
    assert head.endswith(b"content-length: %d\r\nx-request-id: %b" % (len(body), REQUEST.encode()))
    assert SECRET.encode() not in head


def test_a_question_without_a_body_has_no_length():
    def test(desk):
        request = incoming(b"/v2/models/small/ready", "GET")
        welcome(desk, request, Shown())
        return prepared(desk, request, request.called, Access(REQUEST, "", 0)).question

    question = in_loop(test, deployments=[deployment(protocol=Protocol.INFERENCE_V2)])
    assert question.startswith(b"GET /v1/models/engine-model/ready HTTP/1.1\r\n")
    assert b"content-" not in question


def test_what_is_refused_is_not_counted():
    def test(desk):
        request = incoming(body=b'{"model": "other"}')
        welcome(desk, request, Shown())
        with pytest.raises(Problem):
            prepared(desk, request, request.called, Access(REQUEST, "", 0))
        return desk.callers.known["k-0123456789ab"].usage.running

    assert in_loop(test) == 0


def test_nobody_is_current_without_a_key():
    with pytest.raises(Problem) as caught:
        in_loop(lambda desk: current(desk, incoming()))
    assert caught.value.code == "invalid_api_key"


def test_answers_of_our_own_are_compact():
    assert described({"a": [1, "b"]}) == b'{"a":[1,"b"]}'
