"""Salted commitments: opened by exactly the bytes that were committed to."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.kernel.commitment import SALT_SIZE, commit, open_commitment, parse_opening
from ringfence.kernel.errors import MalformedInput, VerificationFailed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DETAILS = st.dictionaries(TEXT, TEXT | st.integers(-(2**53), 2**53) | st.lists(TEXT, max_size=3), max_size=5)
SALTS = st.binary(min_size=SALT_SIZE, max_size=SALT_SIZE)


@given(DETAILS, SALTS)
def test_an_opening_opens_its_commitment(details, salt):
    opening = commit(details, salt)
    assert open_commitment(opening.commitment, opening.data) == details
    assert parse_opening(opening.to_text()) == opening


@given(DETAILS, SALTS, SALTS)
def test_another_salt_is_another_commitment(details, salt, other):
    assume(salt != other)
    assert commit(details, salt).commitment != commit(details, other).commitment


@given(DETAILS, SALTS, st.integers(0), st.integers(1, 255))
def test_a_changed_opening_is_refused(details, salt, place, change):
    opening = commit(details, salt)
    data = bytearray(opening.data)
    data[place % len(data)] ^= change
    with pytest.raises(VerificationFailed):
        open_commitment(opening.commitment, bytes(data))


@given(st.text(max_size=80))
def test_no_text_raises_anything_but_malformed_input(text):
    try:
        opening = parse_opening(text)
    except MalformedInput:
        return
    assert parse_opening(opening.to_text()) == opening
