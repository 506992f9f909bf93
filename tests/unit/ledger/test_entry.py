"""Log entries: one byte form, and nothing else is read."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import entry, tree
from ringfence.ledger.entry import Entry, Place, tenant_tag

VECTORS = Path(__file__).parents[3] / "docs" / "specs" / "vectors" / "tlog-entry.json"
ENVELOPE = Digest.of(b"an envelope")
AT = datetime(2026, 11, 22, 1, 2, 3, 456_000, tzinfo=UTC)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_000), timezones=st.just(UTC))  # noqa: DTZ001


def place_in(vector: dict[str, Any]) -> Place | None:
    if "salt" not in vector:
        return None
    tag = tenant_tag(bytes.fromhex(vector["salt"]), Tenant(vector["tenant"]))
    assert tag.hex() == vector["tag"]
    return Place(tag, vector["tenantSequence"])


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["valid"], ids=lambda vector: vector["entry"][:24])
def test_the_vectors_of_the_specification(vector: dict[str, Any]) -> None:
    at, envelope, place = from_text(vector["recordedAt"]), Digest.parse(vector["envelope"]), place_in(vector)
    data = entry.encode(at, envelope, place)

    assert data.hex() == vector["entry"]
    assert tree.leaf_hash(data).hex() == vector["leafHash"]
    assert entry.decode(data) == Entry(at, envelope, place)
    assert entry.decode(data).version == (1 if place is None else 2)


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["invalid"], ids=lambda vector: vector["why"])
def test_what_the_specification_refuses(vector: dict[str, str]) -> None:
    with pytest.raises(MalformedInput):
        entry.decode(bytes.fromhex(vector["entry"]))


PLACES = st.builds(Place, st.binary(min_size=32, max_size=32), st.integers(1, entry.MAX_SEQUENCE))


@given(TIMES, st.binary(min_size=32, max_size=32), st.none() | PLACES)
def test_an_entry_reads_back_to_the_millisecond(at: datetime, digest: bytes, place: Place | None) -> None:
    data = entry.encode(at, Digest(digest), place)

    back = entry.decode(data)

    assert len(data) == (41 if place is None else 81)
    assert timedelta(0) <= at - back.recorded_at < timedelta(milliseconds=1)
    assert entry.encode(back.recorded_at, back.envelope, back.place) == data


@given(
    st.sampled_from([(1, 40), (2, 80)]).flatmap(
        lambda kind: st.tuples(st.just(kind[0]), st.binary(min_size=kind[1], max_size=kind[1]))
    )
)
def test_whatever_is_read_is_printed_the_same(kind: tuple[int, bytes]) -> None:
    data = bytes([kind[0]]) + kind[1]
    try:
        read = entry.decode(data)
    except MalformedInput:
        return
    assert entry.encode(read.recorded_at, read.envelope, read.place) == data


def test_no_entry_is_recorded_before_the_epoch() -> None:
    with pytest.raises(MalformedInput, match="1970"):
        entry.encode(datetime(1969, 12, 31, tzinfo=UTC), ENVELOPE)


@pytest.mark.parametrize("place", [Place(b"short", 1), Place(bytes(32), 0), Place(bytes(32), 2**53 + 1)])
def test_no_entry_is_printed_that_nobody_would_read(place: Place) -> None:
    with pytest.raises(MalformedInput, match="counted from 1"):
        entry.encode(AT, ENVELOPE, place)


def test_a_tag_tells_tenants_apart_and_hides_them() -> None:
    assert tenant_tag(bytes(32), Tenant("acme")) != tenant_tag(bytes(32), Tenant("other"))
    assert tenant_tag(bytes(32), Tenant("acme")) != tenant_tag(b"s" * 32, Tenant("acme"))


SECOND = entry.encode(AT, ENVELOPE, Place(bytes(32), 1))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "version none"),
        (entry.encode(AT, ENVELOPE)[:-1], "41 bytes"),
        (entry.encode(AT, ENVELOPE) + b"\x00", "41 bytes"),
        (SECOND[:-1], "81 bytes"),
        (SECOND + b"\x00", "81 bytes"),
        (b"\x02" + entry.encode(AT, ENVELOPE)[1:], "81 bytes"),
        (b"\x03" + SECOND[1:], "version 3"),
        (b"\x01" + (entry.MAX_MILLIS + 1).to_bytes(8, "big") + ENVELOPE.value, "year 9999"),
        (b"\x01" + b"\xff" * 8 + ENVELOPE.value, "year 9999"),
        (SECOND[:41] + bytes(8) + ENVELOPE.value, "counted from 1"),
    ],
)
def test_anything_else_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(MalformedInput, match=says):
        entry.decode(data)
