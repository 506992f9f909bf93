"""What an agent answers is a stranger's word: of the right form, or refused."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import RingfenceError, Unavailable, VerificationFailed
from ringfence.workloads.nodeagent.speaking import Speaking


def saying(answer):
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return Speaking(lambda _: data, lambda: b"certificate", lambda: datetime(2026, 11, 23, tzinfo=UTC))


def test_its_refusal_is_repeated_without_control_characters():
    with pytest.raises(Unavailable, match="refuses") as caught:
        saying({"error": "no\n\x1b[31mway"}).identify()
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"nodeKey": "AA=="},
        {"nodeKey": "AA==", "ak": "", "ek": ""},
        {"nodeKey": 7, "ak": "", "ek": ""},
        {"nodeKey": "!", "ak": "", "ek": ""},
        {"nodeKey": "AA==", "ak": "", "ek": "", "more": 1},
    ],
)
def test_another_answer_than_was_asked_for_is_refused(answer):
    with pytest.raises(VerificationFailed):
        saying(answer).identify()


def test_only_a_plain_yes_is_a_yes():
    assert saying({"revoked": True}).revoke("lease")
    assert not saying({"revoked": 1}).revoke("lease")


@given(st.binary(max_size=80))
def test_any_answer_is_refused(data):
    for ask in (lambda it: it.identify(), lambda it: it.evidence(bytes(32)), lambda it: it.deliver(b"{}")):
        with pytest.raises(RingfenceError):
            ask(saying(data))
