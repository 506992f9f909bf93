"""Log entries: one byte form, and nothing else is read."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import entry, tree
from ringfence.ledger.entry import Entry

VECTORS = Path(__file__).parents[3] / "docs" / "specs" / "vectors" / "tlog-entry.json"
ENVELOPE = Digest.of(b"an envelope")
AT = datetime(2026, 11, 22, 1, 2, 3, 456_000, tzinfo=UTC)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_000), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["valid"], ids=lambda vector: vector["recordedAt"])
def test_the_vectors_of_the_specification(vector: dict[str, str]) -> None:
    data = entry.encode(from_text(vector["recordedAt"]), Digest.parse(vector["envelope"]))

    assert data.hex() == vector["entry"]
    assert tree.leaf_hash(data).hex() == vector["leafHash"]
    assert entry.decode(data) == Entry(from_text(vector["recordedAt"]), Digest.parse(vector["envelope"]))


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["invalid"], ids=lambda vector: vector["why"])
def test_what_the_specification_refuses(vector: dict[str, str]) -> None:
    with pytest.raises(MalformedInput):
        entry.decode(bytes.fromhex(vector["entry"]))


@given(TIMES, st.binary(min_size=32, max_size=32))
def test_an_entry_reads_back_to_the_millisecond(at: datetime, digest: bytes) -> None:
    data = entry.encode(at, Digest(digest))

    back = entry.decode(data)

    assert len(data) == entry.ENTRY_SIZE == 41
    assert timedelta(0) <= at - back.recorded_at < timedelta(milliseconds=1)
    assert entry.encode(back.recorded_at, back.envelope) == data


@given(st.binary(min_size=41, max_size=41))
def test_whatever_is_read_is_printed_the_same(data: bytes) -> None:
    try:
        read = entry.decode(b"\x01" + data[1:])
    except MalformedInput:
        return
    assert entry.encode(read.recorded_at, read.envelope) == b"\x01" + data[1:]


def test_no_entry_is_recorded_before_the_epoch() -> None:
    with pytest.raises(MalformedInput, match="1970"):
        entry.encode(datetime(1969, 12, 31, tzinfo=UTC), ENVELOPE)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "41 bytes"),
        (entry.encode(AT, ENVELOPE)[:-1], "41 bytes"),
        (entry.encode(AT, ENVELOPE) + b"\x00", "41 bytes"),
        (b"\x02" + entry.encode(AT, ENVELOPE)[1:], "version 2"),
        (b"\x01" + (entry.MAX_MILLIS + 1).to_bytes(8, "big") + ENVELOPE.value, "year 9999"),
        (b"\x01" + b"\xff" * 8 + ENVELOPE.value, "year 9999"),
    ],
)
def test_anything_else_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(MalformedInput, match=says):
        entry.decode(data)
