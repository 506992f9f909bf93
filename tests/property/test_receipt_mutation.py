"""Whatever one byte of a receipt becomes, it is refused, fails, or still says exactly the same."""

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.reports.receipts import verify
from ringfence.testing import receipts
from ringfence.testing.ledger import LabLog


@cache
def made():
    log = LabLog()
    return receipts.issued(log, count=5, index=3).data, log.trust()


def said(data, trust):
    outcome = verify(data, trust)
    return (outcome.verdict, outcome.to_json())


def holds(data):
    whole, trust = made()
    try:
        verdict, document = said(data, trust)
    except MalformedInput:
        return True
    return verdict == "failed" or (json.loads(data) == json.loads(whole) and document == said(whole, trust)[1])


def changed(at, value):
    whole, _ = made()
    return whole[:at] + bytes([whole[at] ^ value]) + whole[at + 1 :]


@given(st.integers(0, len(made()[0]) - 1), st.integers(1, 255))
def test_one_byte_of_a_receipt_never_changes_what_it_says(at, value):
    assert holds(changed(at, value))


@given(st.integers(0, len(made()[0]) - 1), st.integers(0, 20), st.binary(max_size=20))
def test_nor_does_a_piece_that_is_cut_out_or_put_in(at, size, piece):
    whole, _ = made()
    assert holds(whole[:at] + piece + whole[at + size :])


@pytest.mark.soak
@pytest.mark.parametrize("value", [1, 2, 32, 128])
def test_every_byte_of_a_receipt(value):
    whole, _ = made()
    assert [at for at in range(len(whole)) if not holds(changed(at, value))] == []


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_one_way(data):
    with pytest.raises(MalformedInput):
        verify(data, made()[1])
