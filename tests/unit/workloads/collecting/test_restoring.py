import os
import shutil
import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.artifacts.model import Custody, DatasetName
from ringfence.artifacts.statements import sealed
from ringfence.kernel.actor import Role
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.collecting import copied, name_places
from ringfence.testing.home import TENANT, draft, signed
from ringfence.workloads.collecting.restoring import PREFIX
from ringfence.workloads.collecting.wires import collectors

pytestmark = pytest.mark.sqlite  # a copy of the folder is all there is to copy


@pytest.fixture
def place(home, tmp_path):
    copied(home, tmp_path / "copies")
    name_places(home.path, tmp_path / "copies")
    return tmp_path / "copies"


def drill(services):
    made = collectors(services)["backup.restore_drill"].collect.look(TENANT)
    return dict(made.claims), made.details.get("failures", [])


def test_a_copy_comes_back_with_the_log_of_this_installation(place, services):
    claims, failures = drill(services)
    assert failures == []
    assert (claims["restored"], claims["headMatches"], claims["lostSeconds"]) == (True, True, 0)
    assert claims["entries"] == services.ledger.head().checkpoint.size
    assert place.exists()


def test_the_sockets_of_what_ran_in_a_home_are_no_part_of_its_copy(place, services):
    (place / "monday" / "fabric").mkdir(exist_ok=True)
    os.mknod(place / "monday" / "fabric" / "socket", stat.S_IFSOCK | 0o600)  # as `cp -r` leaves it
    claims, failures = drill(services)
    assert (claims["restored"], failures) == (True, [])


@pytest.mark.usefixtures("place")
def test_what_came_after_the_copy_is_lost(services, clock):
    clock.advance(timedelta(seconds=90, milliseconds=1))
    services.collectors["log.heartbeat"](TENANT)
    claims, _ = drill(services)
    assert (claims["restored"], claims["lostSeconds"]) == (True, 91)


def test_without_a_copy_nothing_is_restored_and_everything_is_lost(services, clock):
    clock.advance(timedelta(hours=1))
    services.collectors["log.heartbeat"](TENANT)
    claims, [because] = drill(services)
    assert "backups.json" in because
    assert (claims["restored"], claims["headMatches"], claims["entries"]) == (False, False, 0)
    assert claims["lostSeconds"] == 3600


def test_a_statement_that_was_changed_in_the_copy_is_found_though_every_page_is_sound(place, home, services):
    altered = replace(home, path=place / "monday")
    assert altered.alter("UPDATE statements SET envelope = substr(envelope, 1, 100) || X'00' WHERE entry = 1") == 1
    altered.alter("PRAGMA wal_checkpoint(TRUNCATE)")
    claims, failures = drill(services)
    assert failures
    assert (claims["restored"], claims["entries"]) == (False, services.ledger.head().checkpoint.size)


def test_the_copy_with_the_most_entries_is_restored(place, home, clock):
    with home.services(clock) as services:
        services.collectors["log.heartbeat"](TENANT)
    copied(home, place, "tuesday")
    with home.services(clock) as services:
        assert drill(services)[0]["entries"] == services.ledger.head().checkpoint.size


def test_nothing_of_a_drill_stays_and_what_a_killed_one_left_goes(place, home, services):
    shutil.copytree(place / "monday", home.path / f"{PREFIX}killed" / "home")
    drill(services)
    assert list(home.path.glob(f"{PREFIX}*")) == []


def test_what_waits_in_a_copy_is_not_signed_there(home, clock, tmp_path):
    """A restored home has the keys of this one: it must not go on with its log."""
    person = home.people[Role.ENGINEER]
    with home.services(clock) as services, services.database.transaction():
        services.outbox.admit(*signed(services, person, draft()), by=home.actor(Role.ENGINEER))
    copied(home, tmp_path / "copies")
    name_places(home.path, tmp_path / "copies")
    with home.services(clock) as services:
        size = services.ledger.head().checkpoint.size
        claims, _ = drill(services)
        assert (claims["restored"], claims["entries"]) == (True, size)
        assert services.ledger.head().checkpoint.size == size


@pytest.mark.parametrize("spoilt", [False, True])
def test_sealed_bytes_come_back_and_those_that_do_not_verify_are_damaged(home, clock, tmp_path, spoilt):
    made, name = sealed_in_memory({"a": b"x" * 5000}), DatasetName("training")
    with home.services(clock) as services:
        wanted = sealed(made.seal, made.digest, Custody.EXTERNAL, name)
        posted = signed(services, home.people[Role.ENGINEER], wanted)
        services.artifacts.seal(home.actor(Role.ENGINEER), name, *posted)
    folder = home.path / "datasets" / made.seal.dataset / str(made.seal.epoch)
    for path, data in made.vault.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "chunks").mkdir(exist_ok=True)
    copy = copied(home, tmp_path / "copies")
    if spoilt:
        [changed, *_] = sorted((copy / "datasets").rglob("objects/*"))
        changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    name_places(home.path, tmp_path / "copies")
    with home.services(clock) as services:
        claims, _ = drill(services)
    assert (claims["datasets"], claims["datasetsDamaged"], claims["restored"]) == (1, int(spoilt), not spoilt)
