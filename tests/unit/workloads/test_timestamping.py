"""A stamp over anything: asked of a real authority, over these bytes, in answer to this request."""

import pytest

from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable, UsageError, VerificationFailed
from ringfence.ledger.anchors.timestamp import request, token_of, verify_timestamp
from ringfence.testing.anchors import FakeRemote, LabAuthority
from ringfence.workloads.timestamping import stamp

URL = "https://tsa.example/tsr"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return LabAuthority.make(tmp_path_factory.mktemp("stamps") / "lab")


def test_the_answer_is_over_these_bytes(authority):
    seen = []

    def answer(asked):
        seen.append(asked)
        return authority.answer(asked)

    remote = FakeRemote(authorities={URL: answer})
    first, _ = stamp(URL, b"signature", remote), stamp(URL, b"signature", remote)
    assert seen[0] != seen[1]  # each request is another one
    assert b"signature" not in seen[0]
    token = _token(first)
    assert verify_timestamp(token, b"signature", [authority.trusted()]).authority == "CN=Lab stamps"
    with pytest.raises(VerificationFailed):
        verify_timestamp(token, b"other", [authority.trusted()])


def _token(answer):
    from rfc3161_client import decode_timestamp_response

    return token_of(answer, decode_timestamp_response(answer).tst_info.nonce)


def test_an_older_answer_and_no_answer_are_refused(authority):
    older = authority.answer(request(b"signature", 7))
    with pytest.raises(VerificationFailed, match="another request"):
        stamp(URL, b"signature", FakeRemote(authorities={URL: lambda _: older}))
    with pytest.raises(MalformedInput):
        stamp(URL, b"signature", FakeRemote(authorities={URL: lambda _: b"junk"}))
    with pytest.raises(Unavailable):
        stamp(URL, b"signature", FakeRemote())


@pytest.mark.parametrize("url", ["http://tsa.example/tsr", "ftp://tsa.example", "tsa.example", ""])
def test_nobody_is_asked_in_the_clear(url):
    remote = FakeRemote()
    with pytest.raises(RingfenceError) as refused:
        stamp(url, b"signature", remote)
    assert isinstance(refused.value, UsageError)
    assert remote.asked == []
