import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from ringfence.installation import DATABASE
from ringfence.testing.collecting import copied, name_places
from ringfence.testing.home import TENANT, make
from ringfence.workloads.collecting.wires import collectors

pytestmark = pytest.mark.sqlite  # a copy of the folder is all there is to copy


@pytest.fixture
def place(home, tmp_path):
    copied(home, tmp_path / "copies")
    name_places(home.path, tmp_path / "copies")
    return tmp_path / "copies"


def look(services):
    made = collectors(services)["backup.integrity"].collect.look(TENANT)
    return dict(made.claims), made.details["copies"]


def why(services):
    claims, [one] = look(services)
    assert (claims["copies"], claims["verified"], claims["failed"], claims["offHost"]) == (1, 0, 1, False)
    return one["because"]


@pytest.mark.usefixtures("place")
def test_a_copy_made_as_the_guide_says_is_whole(services):
    claims, [one] = look(services)
    assert claims == {"copies": 1, "verified": 1, "failed": 0, "oldestHours": 0, "offHost": False}
    assert one["because"] == ""
    assert one["entries"] == services.ledger.head().checkpoint.size


def test_without_copies_there_are_none_and_everything_would_be_lost(services, clock):
    clock.advance(timedelta(hours=5, minutes=1))
    claims, _ = look(services)
    assert claims == {"copies": 0, "verified": 0, "failed": 0, "oldestHours": 6, "offHost": False}


@pytest.mark.usefixtures("place")
def test_the_age_is_that_of_the_first_entry_that_the_copy_lacks(services, clock):
    clock.advance(timedelta(hours=100))
    assert look(services)[0]["oldestHours"] == 0  # nothing was recorded since
    services.collectors["log.heartbeat"](TENANT)
    clock.advance(timedelta(hours=30))
    services.collectors["log.heartbeat"](TENANT)
    assert look(services)[0]["oldestHours"] == 30


def test_the_best_copy_counts_for_the_age_and_each_is_counted(place, services, clock):
    services.collectors["log.heartbeat"](TENANT)
    services.ledger.integrate()
    shutil.copytree(place / "monday", place / "tuesday")
    (place / "tuesday" / "log" / "checkpoint").write_bytes(b"nothing")
    clock.advance(timedelta(hours=2))
    claims, listed = look(services)
    assert (claims["copies"], claims["verified"], claims["failed"], claims["oldestHours"]) == (2, 1, 1, 2)
    assert {one["path"].rpartition("/")[2]: bool(one["because"]) for one in listed} == {
        "monday": False,
        "tuesday": True,
    }


def test_a_changed_entry_is_seen(place, services):
    [tile] = [path for path in (place / "monday" / "log" / "tile" / "entries").rglob("*") if path.is_file()]
    data = bytearray(tile.read_bytes())
    data[len(data) // 2] ^= 1
    tile.write_bytes(data)
    assert why(services)


def test_a_head_that_this_log_never_published_is_seen(place, services, clock, tmp_path):
    other = make(tmp_path / "other", clock)
    shutil.rmtree(place / "monday")
    copied(other, place)
    assert why(services) == "it is the copy of another installation"


def test_a_head_beyond_what_this_database_knows_is_not_one_that_it_published(home, clock, tmp_path):
    before = home.copy(tmp_path / "before")
    with home.services(clock) as services:
        services.collectors["log.heartbeat"](TENANT)
    copied(home, tmp_path / "copies")
    name_places(before.path, tmp_path / "copies")
    with before.services(clock) as services:
        assert "never published a checkpoint" in why(services)


def test_a_copy_without_a_head_is_not_whole(place, services):
    (place / "monday" / "log" / "checkpoint").unlink()
    assert "checkpoint" in why(services)


def test_rows_that_are_missing_are_seen(place, services):
    with closing(sqlite3.connect(place / "monday" / DATABASE, isolation_level=None)) as raw:
        raw.execute("DELETE FROM statements WHERE entry = 2")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "entries of its head" in why(services)


def test_pages_that_were_overwritten_are_seen(place, services):
    path = place / "monday" / DATABASE
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 9] = bytes(4096 * 6)
    path.write_bytes(data)
    assert why(services)


def test_a_copy_taken_while_something_wrote_is_not_whole(place, services):
    (place / "monday" / f"{DATABASE}-wal").write_bytes(b"frames")
    assert "while something wrote" in why(services)


def test_a_copy_whose_database_is_elsewhere_is_not_whole(place, services):
    marker = place / "monday" / "ringfence.json"
    marker.write_bytes(marker.read_bytes().replace(b'"log":', b'"database":"postgresql://a@db.example/b","log":'))
    assert "lie elsewhere" in why(services)


def test_nothing_in_a_copy_is_written(place, services):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    look(services)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
