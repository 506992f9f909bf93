"""What was begun, on a real folder: what is planted there leads nobody anywhere."""

import os
import stat
from contextlib import contextmanager

import pytest

from ringfence.artifacts.blobs import Home
from ringfence.artifacts.model import DatasetId, NewSeal, ObjectId
from ringfence.artifacts.seal import print_key_file
from ringfence.artifacts.staged import BegunFile, StagedFolder
from ringfence.kernel.errors import NotFound, Unavailable, UsageError
from ringfence.kernel.identifier import Tenant

ONE = ObjectId("1" * 32)
ACME = Tenant("acme")
NEW = NewSeal(DatasetId("a" * 32), 1, 2**16)


@contextmanager
def working(home, mine=lambda _work: True):
    with Home(home).working(ACME, {}, mine) as work:
        yield work


@pytest.fixture
def work(tmp_path):
    with working(tmp_path) as work:
        work.note(b"")
        yield work


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious"
    path.write_bytes(b"years")
    yield path
    assert path.read_bytes() == b"years"


PLANTS = {
    "link": lambda path, precious: path.symlink_to(precious),
    "second name": lambda path, precious: path.hardlink_to(precious),
    "folder": lambda path, _precious: (path / "a" / "b").mkdir(parents=True),
    "pipe": lambda path, _precious: os.mkfifo(path),
    "broken link": lambda path, _precious: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_in_the_place_of_what_was_begun_is_not_written_through(work, precious, plant):
    (work.path / "partial").mkdir()
    PLANTS[plant](work.path / "partial" / "one", precious)
    assert work.keep([], 0, lambda: ["one"]) == 1
    with work.begun("one") as begun:
        assert begun.size == 0
        begun.write_at(b"ours", 0)
    assert (work.path / "partial" / "one").read_bytes() == b"ours"
    assert stat.S_IMODE((work.path / "partial" / "one").stat().st_mode) == 0o600


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_beside_it_is_removed_and_nothing_elsewhere(work, precious, plant):
    with work.begun("one"):
        pass
    PLANTS[plant](work.path / "partial" / "two", precious)
    assert work.keep([], 0, lambda: ["one"]) == 1
    assert [path.name for path in (work.path / "partial").iterdir()] == ["one"]
    PLANTS[plant](work.path / "partial" / "two", precious)
    work.drop_begun()
    assert not (work.path / "partial").exists()


def test_a_link_in_the_place_of_the_folder_leads_nobody_out(work, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "one").write_bytes(b"years")
    for clear in (lambda: work.keep([], 0, lambda: ["one"]), lambda: work.keep([], 0, list), work.drop_begun):
        (work.path / "partial").symlink_to(elsewhere)
        with pytest.raises(UsageError), work.begun("one") as begun:
            begun.write_at(b"ours", 0)
        with pytest.raises(UsageError):
            work.complete("one", ONE)
        assert not clear()
        if (work.path / "partial").exists():
            (work.path / "partial").rmdir()
    assert [path.read_bytes() for path in elsewhere.iterdir()] == [b"years"]


def test_a_file_that_gets_a_second_name_after_the_look_is_refused(tmp_path, precious):
    (tmp_path / "link").hardlink_to(precious)
    descriptor = os.open(tmp_path / "link", os.O_RDWR)
    with pytest.raises(UsageError, match="not a file of its own"):
        BegunFile(descriptor, "link")
    os.close(descriptor)


def test_nobody_is_asked_for_names_where_nothing_was_begun(work):
    def unasked():
        raise AssertionError

    assert work.keep([], 0, unasked) == 0


def test_what_was_begun_is_there_for_the_next_time_also_where_no_file_is_finished(tmp_path):
    """A full disk in the middle of the one file: with nothing finished, all of it used to be removed."""

    def full(work):
        work.note(b"line")
        with work.create("key.json") as sink:
            sink.write(print_key_file(NEW, []))
        with work.begun("one") as begun:
            begun.write_at(b"1", 0)
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable), working(tmp_path) as work:
        full(work)
    with working(tmp_path) as again:
        assert again.keep([], 4, lambda: ["one"]) == 1


def test_a_full_disk_is_a_missing_resource(work):
    with work.begun("one") as begun:
        begun._descriptor, kept = os.open("/dev/full", os.O_WRONLY), begun._descriptor
        with pytest.raises(Unavailable, match="full"):
            begun.write_at(b"x", 0)
        os.close(begun._descriptor)
        begun._descriptor = kept


def test_nothing_is_completed_that_was_not_begun(work):
    with work.begun("one"):
        pass
    with pytest.raises(NotFound):
        work.complete("two", ONE)


@pytest.mark.parametrize("because", ["no key file", "recorded"])
def test_what_nobody_goes_on_with_goes_with_what_was_begun(tmp_path, precious, because):
    """As a turn or the next seal clears it: the writer is dead, and its folder is removed whole."""
    staging = tmp_path / "datasets" / ".staging"
    dead = staging / "0123"
    (dead / "partial").mkdir(parents=True)
    (dead / "pending").write_text("acme\n")
    (dead / "journal").write_bytes(b"")
    if because == "recorded":
        (dead / "key.json").write_bytes(print_key_file(NEW, []))
    (dead / "partial" / "one").write_bytes(b"1")
    (dead / "partial" / "two").symlink_to(precious.parent)
    (dead / "partial" / "three").hardlink_to(precious)
    with Home(tmp_path).working(ACME, {NEW.dataset: 1}, lambda _work: None) as work:
        assert isinstance(work, StagedFolder)
        assert not dead.exists()
