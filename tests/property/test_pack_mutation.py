"""Whatever byte of a pack is changed, removed or added: it is refused with a sentence, never with a traceback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.reports.verify import verify
from ringfence.testing.tampering import lab

LOG = lab()
PACK, TRUST = LOG.pack(), LOG.trust()
STARTS = [0]
for LINE in PACK.splitlines(keepends=True):
    STARTS.append(STARTS[-1] + len(LINE))
STRIDE = 101  # every byte position that is a multiple: a prime, so that no field of the format is always missed


def expect_refusal(data, trust=TRUST):
    """Return the record numbers that are named by the refusal, or None where the file is no pack."""
    try:
        outcome = verify(data, trust)
    except MalformedInput:
        return None
    assert not outcome.ok
    assert outcome.failures
    assert all(failure.reason for failure in outcome.failures)
    return {failure.record for failure in outcome.failures}


def line_of(position):
    return sum(start <= position for start in STARTS) - 1


@pytest.mark.parametrize("flip", [1, 32])
def test_every_byte_is_bound(flip):
    for position in range(flip % STRIDE, len(PACK), STRIDE):
        data = bytearray(PACK)
        data[position] ^= flip
        named = expect_refusal(bytes(data))
        if 1 <= line_of(position) <= 8:
            assert named is not None
            assert line_of(position) in named, (position, named)


@pytest.mark.soak
def test_every_byte_is_bound_without_exception():
    for position in range(len(PACK)):
        data = bytearray(PACK)
        data[position] ^= 1
        expect_refusal(bytes(data))


@given(position=st.integers(0, len(PACK) - 1), byte=st.integers(0, 255))
def test_a_byte_replaced(position, byte):
    data = PACK[:position] + bytes([byte]) + PACK[position + 1 :]
    if data != PACK:
        expect_refusal(data)


@given(position=st.integers(0, len(PACK) - 1), length=st.integers(1, 4000))
def test_bytes_removed(position, length):
    expect_refusal(PACK[:position] + PACK[position + length :])


@given(position=st.integers(0, len(PACK)), more=st.binary(min_size=1, max_size=20))
def test_bytes_added(position, more):
    expect_refusal(PACK[:position] + more + PACK[position:])


@given(st.data())
def test_lines_moved_repeated_or_dropped(data):
    lines = PACK.splitlines(keepends=True)
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=len(lines) + 2))
    if chosen != lines:
        expect_refusal(b"".join(chosen))


@given(st.binary(max_size=2000))
def test_any_bytes_after_a_header(tail):
    expect_refusal(PACK[: STARTS[1]] + tail)


@given(st.binary(max_size=500))
def test_any_bytes(data):
    expect_refusal(data, None)
