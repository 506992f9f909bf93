import pytest

from ringfence.kernel.commitment import SALT_SIZE, Opening, commit, open_commitment, parse_opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

SALT = bytes(range(SALT_SIZE))


@pytest.mark.parametrize("size", [0, SALT_SIZE - 1, SALT_SIZE + 1])
def test_a_salt_has_32_bytes(size):
    with pytest.raises(MalformedInput):
        commit({"a": 1}, bytes(size))


def test_what_could_not_be_read_back_is_never_committed_to():
    with pytest.raises(MalformedInput):
        commit({"ratio": 0.5}, SALT)
    with pytest.raises(MalformedInput):
        commit({"big": 2**60}, SALT)


def test_the_commitment_hides_without_its_salt():
    assert commit({"name": "x"}, SALT).commitment != Digest.of(commit({"name": "x"}, SALT).data[SALT_SIZE:])


def test_details_that_are_no_object_are_refused():
    opening = Opening(SALT + b"[1]")
    with pytest.raises(MalformedInput):
        open_commitment(opening.commitment, opening.data)


def test_bytes_shorter_than_a_salt_open_nothing():
    with pytest.raises(VerificationFailed):
        open_commitment(Digest.of(b"short"), b"short")
    with pytest.raises(MalformedInput):
        parse_opening("c2hvcnQ=")


@pytest.mark.parametrize("text", ["not base64!", "YQ", "ä"])
def test_an_opening_is_strict_base64(text):
    with pytest.raises(MalformedInput):
        parse_opening(text)
