"""Who is asked and what they said, in the database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Progress
from ringfence.ledger.anchoring.store import AnchorTables
from ringfence.ledger.model import Anchors
from ringfence.testing.anchors import cosigned_by, witness_keys
from ringfence.testing.clock import START
from ringfence.testing.keys import head

pytestmark = pytest.mark.databases

WITNESS = AskedWitness("w.example/1", ("k1", "k2"), "https://w.example", "Auditor")
AUTHORITY = AskedAuthority(bytes(32), b"der", "https://t.example", "Stamps", "1.2.3")


@pytest.fixture
def tables(services) -> AnchorTables:
    return AnchorTables(services.database)


def test_who_is_asked_is_read_back_with_how_it_went(tables) -> None:
    went = Progress(7, START, START, "away")
    with tables.database.transaction():
        tables.put_witness(WITNESS)
        tables.put_authority(AUTHORITY)
        tables.put_quorum(2)
        tables.tried(WITNESS, went)
        tables.tried(AUTHORITY, went)
    assert tables.witnesses() == [replace(WITNESS, progress=went)]
    assert tables.authorities() == [replace(AUTHORITY, progress=went)]
    assert tables.quorum() == 2
    with tables.database.transaction():
        tables.put_witness(replace(WITNESS, active=False))
        tables.put_quorum(0)
    assert [each.active for each in tables.witnesses()] == [False]
    assert tables.quorum() == 0


def test_a_later_line_by_the_same_key_replaces_the_first_and_a_token_does_not(tables) -> None:
    keys, checkpoint = witness_keys(), head(7, bytes(32)).checkpoint
    first, later = cosigned_by(keys, checkpoint, START), cosigned_by(keys, checkpoint, START.replace(year=2030))
    with tables.database.transaction():
        tables.keep_cosignatures(7, first, START)
        tables.keep_cosignatures(7, later, START.replace(year=2030))
        tables.keep_timestamp(7, bytes(32), b"one")
        tables.keep_timestamp(7, bytes(32), b"two")
        tables.keep_timestamp(9, bytes(32), b"three")
    found = tables.anchors(7)
    assert sorted(found.cosignatures) == sorted(later)
    assert found.timestamps == (b"one",)
    assert tables.anchors(8) == Anchors()
    assert tables.sizes() == [9, 7]
    assert tables.sizes(least=8) == [9]
    assert tables.sizes(newest_first=False, limit=1) == [7]
    assert tables.newest() == [7, 9]


def test_of_each_keys_cosignatures_the_newest_of_each_hour_stays(tables) -> None:
    """A head every ten seconds, 3.5 KB each, would be 30 MB a day; the newest covers all below it."""
    start = START.replace(minute=0, second=0, microsecond=0)
    (key, _), (other, _) = witness_keys(), witness_keys("w.example/other", 42)
    for size, minutes in ((5, 0), (6, 30), (7, 59), (8, 61), (9, 62)):
        at, checkpoint = start + timedelta(minutes=minutes), head(size, bytes(32)).checkpoint
        with tables.database.transaction():
            tables.keep_cosignatures(size, cosigned_by((key,), checkpoint, at), at)
            if size == 6:
                tables.keep_cosignatures(size, cosigned_by((other,), checkpoint, at), at)
    assert tables.sizes() == [9, 7, 6]
    assert [len(tables.anchors(size).cosignatures) for size in (9, 7, 6)] == [1, 1, 2]  # 6 is the newest of the other
    assert tables.newest() == [6, 9]
