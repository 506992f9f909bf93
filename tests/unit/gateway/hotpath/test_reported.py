import json

import pytest

from ringfence.gateway.hotpath.reported import NOTHING, Reported, read


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_usage_and_reason_are_found(separators):
    body = {"choices": [{"finish_reason": "stop"}], "usage": {"completion_tokens": 5, "prompt_tokens": 7, "total": 12}}
    assert read(json.dumps(body, separators=separators).encode()) == Reported(7, 5, "stop")


def test_text_that_looks_like_usage_is_none():
    said = '"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "finish_reason": "stop"'
    assert read(json.dumps({"text": said}).encode()) == NOTHING


@pytest.mark.parametrize(
    "tail", [b"", b"\xff\xfe", b'"usage": null', b'"usage": {"prompt_tokens": -1', b'"usage": {"prompt_tokens": 1e9}']
)
def test_anything_else_reports_nothing(tail):
    assert read(tail) == NOTHING


def test_embeddings_report_one_count():
    assert read(b'{"usage": {"prompt_tokens": 7, "total_tokens": 7}}') == Reported(7, None)


def test_a_reason_is_a_word():
    assert read(b'"finish_reason": "<script>"').finish_reason == ""
