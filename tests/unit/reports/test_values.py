"""Numbers and hashes of a pack: one spelling each, and bounds."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.reports.values import count, decode_hash, decode_hashes, parse_token


@pytest.mark.parametrize("value", [None, 1, "", "AA", "A" * 43 + "=", "A" * 42 + "B=", "é" * 44, ["A" * 44]])
def test_a_hash_has_one_spelling(value):
    if value == "A" * 43 + "=":
        assert decode_hash(value) == bytes(32)
    else:
        with pytest.raises(MalformedInput):
            decode_hash(value)


@pytest.mark.parametrize("value", [None, {}, "", ["A" * 43 + "="] * 65])
def test_a_proof_is_a_bounded_list(value):
    with pytest.raises(MalformedInput):
        decode_hashes(value)


@pytest.mark.parametrize("value", [-1, 11, 1.0, True, "1", None])
def test_a_number_is_whole_and_bounded(value):
    with pytest.raises(MalformedInput, match="size is a whole number from 0 to 10"):
        count(value, "size", 10)


@pytest.mark.parametrize("value", ["", "AA", "AA==\n", None, 5])
def test_a_time_stamp_is_canonical_base64(value):
    with pytest.raises(MalformedInput, match="time stamp"):
        parse_token(value)
