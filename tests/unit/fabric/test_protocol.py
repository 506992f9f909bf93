import json

import pytest

from ringfence.fabric import protocol
from ringfence.fabric.desired import MOST_RULES
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, Refused


def test_a_question_is_read_as_it_was_written():
    asked = protocol.question("permit", {"source": "a", "target": "n-01", "port": 22})
    assert protocol.parse_question(asked) == ("permit", {"source": "a", "target": "n-01", "port": 22})


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("shell", {}),
        ("admit", {}),
        ("admit", {"node": "a", "force": 1}),
        ("admit", {"node": "A"}),
        ("admit", {"node": "a\n"}),
        ("admit", {"node": "a" * 41}),
        ("admit", {"node": ""}),
        ("admit", {"node": "ä"}),
        ("expose", {"node": "a", "port": 0}),
        ("expose", {"node": "a", "port": 65536}),
        ("expose", {"node": "a", "port": True}),
        ("expose", {"node": "a", "port": "22"}),
        ("expose", {"node": "a", "port": 22.0}),
        ("attach", {"node": "a", "pid": 1}),
        ("block", {"address": "203.0.113.7; drop", "seconds": 0}),
        ("block", {"address": "::1", "seconds": 0}),
        ("block", {"address": "0.0.0.0", "seconds": 0}),  # noqa: S104
        ("block", {"address": "127.0.0.1", "seconds": 0}),
        ("block", {"address": "224.0.0.1", "seconds": 0}),
        ("block", {"address": "255.255.255.255", "seconds": 0}),
        ("block", {"address": "203.0.113.7", "seconds": -1}),
        ("release", {"node": "a", "before": "A" * 64}),
        ("release", {"node": "a", "before": "0" * 63}),
        ("connect", {"node": "a", "port": 22, "via": "host"}),
        ("connect", {"node": "a", "port": 22, "via": []}),
    ],
)
def test_anything_else_is_malformed(verb, fields):
    with pytest.raises(MalformedInput):
        protocol.parse_question(json.dumps({"verb": verb, **fields}).encode())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"nul\0",
        b"\xff",
        b"[]",
        b"1",
        b'{"verb":"hello","verb":"hello"}',
        b"[" * 4000,
        b'{"verb":"hello"}' + b" " * 4096,
        b'{"verb":NaN}',
    ],
)
def test_garbage_is_malformed(message):
    with pytest.raises(MalformedInput):
        protocol.parse_question(message)


def test_errors_come_back_as_they_were():
    for kind in (Conflict, Refused, InternalError):
        with pytest.raises(kind, match="because"):
            protocol.parse_answer(protocol.problem(kind("because")))
    assert protocol.parse_answer(protocol.answer({"nodes": {}})) == {"nodes": {}}


def test_a_full_set_of_blocks_fits_an_answer():
    blocked = [f"198.151.{number // 256 + 200}.{number % 256}" for number in range(MOST_RULES)]
    assert protocol.parse_answer(protocol.answer({"blocked": blocked})) == {"blocked": blocked}


def test_answers_are_bounded():
    with pytest.raises(InternalError):
        protocol.answer({"nodes": "x" * protocol.LONGEST_ANSWER})
