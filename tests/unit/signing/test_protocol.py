import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import digest
from ringfence.kernel.errors import InternalError, MalformedInput, Refused, Unavailable
from ringfence.kernel.statement import KeyRole
from ringfence.signing import protocol
from ringfence.signing.model import PublicKeys
from ringfence.testing.signing import LOG, head

PUBLIC = PublicKeys(LOG, bytes(32), bytes([1]) * 32, ("a", "b"), "file-plain")


class Willing:
    """A signer that signs anything; the protocol is what is tested."""

    def public(self):
        return PUBLIC

    def check(self):
        raise Unavailable("away")

    def state(self, role, payload):
        return role.value.encode() + payload

    def snapshot(self, signed):
        return signed

    def signed_last(self):
        return head(5)

    def head(self, head, at, proof=()):
        raise Refused(f"{head.size} {len(proof)} {at:%Y}")


def ask(request):
    return protocol.outcome(protocol.answer(Willing(), digest.dumps(request))[4:])


def test_requests_and_answers():
    assert protocol.public_from_json(ask({"op": "public"})) == PUBLIC
    stated = ask({"op": "state", "role": "emergency", "payload": protocol.text(b"x")})
    assert protocol.raw(stated) == KeyRole.EMERGENCY.value.encode() + b"x"
    asked = {"op": "head", "head": protocol.head_to_json(head(7)), "at": "2026-11-22T09:00:00.000Z", "proof": []}
    with pytest.raises(Refused, match="7 0 2026"):
        ask(asked)
    with pytest.raises(Unavailable, match="away"):
        ask({"op": "check"})
    assert protocol.head_from_json(ask({"op": "mark"})) == head(5)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"op": "sign"},
        {"op": "public", "more": 1},
        {"op": "state", "role": "root-of-all", "payload": ""},
        {"op": "state", "role": "emergency", "payload": "not base64!"},
        {"op": "head", "head": {}, "at": "now", "proof": []},
        {"op": "head", "head": {"origin": "a", "size": "-1", "root": ""}, "at": "", "proof": []},
        {"op": "head", "head": protocol.head_to_json(head(7)), "at": "2026-11-22T09:00:00.000Z", "proof": [""] * 65},
        [],
        "public",
        None,
    ],
)
def test_anything_else_is_malformed(request_):
    with pytest.raises(MalformedInput):
        ask(request_)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_get_one_answer(data):
    answer = protocol.answer(Willing(), data)
    assert protocol.length(answer[:4]) == len(answer) - 4
    with pytest.raises(MalformedInput):
        protocol.outcome(answer[4:])


@pytest.mark.parametrize("prefix", [bytes(4), b"\xff" * 4, (protocol.MAX_FRAME + 1).to_bytes(4, "big")])
def test_a_length_beyond_the_limit_is_refused(prefix):
    with pytest.raises(MalformedInput):
        protocol.length(prefix)


def test_a_message_that_is_too_long_is_not_sent():
    with pytest.raises(MalformedInput):
        protocol.frame({"a": "x" * protocol.MAX_FRAME})


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"error":"refused"}', b'{"ok":1,"error":"x"}'])
def test_an_answer_that_is_none_is_an_internal_error(answer):
    with pytest.raises(InternalError):
        protocol.outcome(answer)


@pytest.mark.parametrize("value", [None, {}, {"log": "x"}])
def test_public_keys_are_read_strictly(value):
    with pytest.raises(MalformedInput):
        protocol.public_from_json(value)
