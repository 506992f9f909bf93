import json
from dataclasses import replace

import pytest

from ringfence.workloads.engine import frames
from ringfence.workloads.engine.frames import LLAMA, ONNX, Answer, BadFrame, Header

HEADER = Header(LLAMA, "small", 10, "sha256:" + "0a" * 32)
ANSWER = Answer("sha256:" + "0a" * 32, True, 8080, 7, ONNX, "1.31.1")


def line(what, **changes):
    return json.dumps(json.loads(frames.line(what)) | changes).encode() + b"\n"


def test_what_is_printed_is_what_is_parsed():
    assert frames.header(frames.line(HEADER)) == HEADER
    assert frames.answer(frames.line(ANSWER)) == ANSWER


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": "pickle"},
        {"name": "../x"},
        {"name": 7},
        {"size": 0},
        {"size": 2**41},
        {"size": True},
        {"size": 1.0},
        {"digest": "sha256:0A"},
        {"context": 1},
        {"parallel": 0},
        {"threads": "2"},
        {"embeddings": 1},
        {"version": 2},
        {"more": 1},
    ],
)
def test_a_header_that_says_anything_else_is_refused(changes):
    with pytest.raises(BadFrame):
        frames.header(line(HEADER, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"loaded": "yes"},
        {"measured": "md5:00"},
        {"measured": None},
        {"port": 0},
        {"port": 65_536},
        {"pid": -1},
        {"engine": ""},
        {"engine": "other"},
        {"release": "1.0; rm -rf /"},
        {"because": None},
        {"more": 1},
    ],
)
def test_an_answer_that_says_anything_else_is_refused(changes):
    with pytest.raises(BadFrame):
        frames.answer(line(ANSWER, **changes))


@pytest.mark.parametrize("data", [b"", b"{}\n", b"[]\n", b"{", b"nothing\n", b"[" * 4000 + b"\n", b" " * 5000 + b"\n"])
def test_what_is_no_line_is_refused(data):
    for parse in (frames.header, frames.answer):
        with pytest.raises(BadFrame):
            parse(data)


def test_a_field_that_stands_there_twice_is_refused():
    with pytest.raises(BadFrame):
        frames.header(frames.line(HEADER).replace(b'"size":10', b'"size":10,"size":11'))


def test_what_a_node_says_is_one_short_printable_line():
    failed = replace(ANSWER, loaded=False, because="first\n\x1b[31msecond" + "x" * 400)
    assert frames.answer(frames.line(failed)).because == ("first[31msecond" + "x" * 400)[: frames.SENTENCE]
