import json

import pytest

from ringfence.gateway.usage import NOTHING, Usage
from ringfence.kernel.clock import from_text

RECORD = {
    "ts": "2026-11-22T09:00:00.000Z",
    "tenant": "acme",
    "deployment": "small",
    "key": "k-0123456789ab",
    "status": 200,
    "prompt_tokens": 3,
    "completion_tokens": 1,
}


def lines(*changes):
    return [json.dumps(RECORD | change).encode() for change in changes]


def test_requests_and_tokens_are_counted_by_deployment_and_key():
    used = Usage()
    later = {"ts": "2026-11-22T09:00:05.000Z", "status": 429, "prompt_tokens": None, "completion_tokens": None}
    used.add(lines({}, later, {"tenant": "other"}))
    found = used.of_deployment("acme", "small")
    assert (found.requests, found.refused, found.prompt_tokens, found.completion_tokens) == (2, 1, 3, 1)
    assert (used.since, found.last) == (from_text(RECORD["ts"]), from_text(later["ts"]))
    assert used.of_key("acme", "k-0123456789ab") == found
    assert used.of_key("other", "k-0123456789ab").requests == 1
    assert used.of_deployment("acme", "none") == NOTHING


def test_a_caller_that_was_gone_before_the_answer_counts_as_refused():
    used = Usage()
    used.add(lines({"status": 0}))
    assert used.of_key("acme", "k-0123456789ab").refused == 1


def test_strangers_are_counted_nowhere():
    used = Usage()
    used.add(lines({"tenant": "", "key": "", "deployment": ""}))
    assert (used.keys, used.deployments) == ({}, {})


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"{}", b"\xff", b'{"ts":1}', *lines({"status": None}, {"ts": "now"})]
)
def test_a_line_that_is_none_is_counted_as_such(line):
    used = Usage()
    used.add([line])
    assert (used.unreadable, used.since, used.keys) == (1, None, {})
