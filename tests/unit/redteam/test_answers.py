import json

import pytest

from ringfence.redteam.answers import MODEL_HEADER, read
from ringfence.redteam.model import Outcome
from ringfence.testing.redteam import MODEL


def got(value, status=200, headers=None):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read(status, headers or {}, body, latency_us=5, tries=1)


def chat(content, finish="stop", **more):
    return {"choices": [{"message": {"content": content}, "finish_reason": finish}], **more}


def test_both_routes_are_read():
    assert got(chat("hi", usage={"prompt_tokens": 3, "completion_tokens": 4})).completion_tokens == 4
    answer = got({"choices": [{"text": "hi", "finish_reason": "length"}]})
    assert (answer.text, answer.finish, answer.fault) == ("hi", "length", None)


def test_a_call_of_a_tool_has_no_text():
    assert got(chat(None, "tool_calls")).text == ""


@pytest.mark.parametrize(
    "value", [b"<html>", b"", b"[" * 100_000, {}, [], {"choices": []}, {"choices": [{"text": 1}, 2]}, b"\xff"]
)
def test_what_is_no_answer_is_an_error_or_empty(value):
    answer = got(value)
    assert answer.fault is Outcome.ERROR or not answer.text


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_no_status_but_200_is_an_answer(status):
    assert got(chat("hi"), status).fault is Outcome.ERROR


def test_a_filter_of_the_endpoint_is_told_from_its_failure():
    assert got({"error": {"code": "content_filter", "message": "no"}}, 400).fault is Outcome.FILTERED


@pytest.mark.parametrize(
    ("told", "kept"), [(MODEL, MODEL), ("sha256:AB", "unknown"), ("x" * 5000, "unknown"), ("", "unknown")]
)
def test_a_model_digest_is_one_or_unknown(told, kept):
    assert got(chat("hi"), headers={MODEL_HEADER: told}).model == kept


@pytest.mark.parametrize(
    "usage", [None, 3, {"completion_tokens": -1}, {"completion_tokens": 2.5}, {"completion_tokens": True}]
)
def test_tokens_that_are_no_count_are_not_kept(usage):
    assert got(chat("hi", usage=usage)).completion_tokens is None


def test_a_finish_reason_that_is_no_word_is_not_kept():
    assert got(chat("hi", "\x1b[31m")).finish == ""
    assert got(chat("hi", {"a": 1})).finish == ""
