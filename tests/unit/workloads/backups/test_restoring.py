"""What comes back is what was stated, or the drill says that it is not; the target is never trusted."""

import shutil

import pytest

from ringfence.kernel.errors import Conflict
from ringfence.testing.backups import NOW, files, shelves
from ringfence.workloads.backups import model, statements
from ringfence.workloads.backups.making import Making
from ringfence.workloads.backups.restoring import Stated
from ringfence.workloads.backups.target import index_of


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


def test_everything_comes_back_byte_by_byte(home, tmp_path):
    done = home.make()
    assert (len(done.index.things), done.missing) == (3, ())
    found = home.restore(done, tmp_path / "place")
    assert found.restored, found.failures
    assert (found.datasets, found.models, found.keys, found.keys_missing, found.damaged) == (2, 1, 2, 0, 0)
    assert found.seconds == 2
    of_a_kill = ("/pending", ".partial-0123")
    before = {name: data for name, data in files(home.path).items() if not name.endswith(of_a_kill)}
    assert files(tmp_path / "place") == before


def test_what_was_killed_goes_on(home, tmp_path):
    done = home.make()
    contents = sorted((home.targets[0].path / "contents").rglob("*"))
    files_there = [path for path in contents if path.is_file()]
    files_there[0].write_bytes(files_there[0].read_bytes()[:-1])  # half a content, as a crash of the target leaves
    files_there[1].unlink()
    assert home.make().written > 0
    place = tmp_path / "place"
    assert home.restore(done, place).restored
    victim = next(path for path in place.rglob("*") if path.is_file() and path.stat().st_size > 60_000)
    victim.write_bytes(b"half")
    home.wall += 3_600 * 10**9
    found = home.restore(done, place)
    assert (found.restored, found.resumed) == (True, True)
    assert found.seconds >= 3_600  # from the first call: to begin again makes nothing faster
    draft = statements.restored("main", Stated(done.digest, done.keys), found, 0, 60, 60)
    assert draft.claims["withinRto"] is False
    home.wall -= 7_200 * 10**9
    with pytest.raises(Conflict, match="another drill"):
        home.restore(done, place)


@pytest.mark.parametrize("number", range(8))
def test_a_damaged_content_is_told_and_nothing_of_it_is_kept(home, tmp_path, number):
    done = home.make()
    names = sorted(path for path in (home.targets[0].path / "contents").rglob("*") if path.is_file())
    victim = names[number % len(names)]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    found = home.restore(done, tmp_path / "place")
    assert not found.restored
    assert found.damaged >= 1
    assert found.failures
    assert bytes(data) not in files(tmp_path / "place").values()


@pytest.mark.parametrize("what", ["content", "index", "keys", "longer"])
def test_what_is_missing_or_exchanged_is_a_result_and_no_crash(home, tmp_path, what):
    done = home.make()
    if what == "content":
        next(path for path in (home.targets[0].path / "contents").rglob("*") if path.is_file()).unlink()
    elif what == "index":
        (home.targets[0].path / index_of(done.digest)).write_bytes(model.printed(model.Index(NOW, ())))
    elif what == "keys":
        shutil.rmtree(home.targets[1].path / "contents")
    else:
        victim = next(path for path in (home.targets[0].path / "contents").rglob("*") if path.is_file())
        victim.write_bytes(victim.read_bytes() + b"x" * 5_000_000)
    found = home.restore(done, tmp_path / "place")
    assert not found.restored
    assert found.failures
    draft = statements.restored("main", Stated(done.digest, done.keys), found, 0, 60, 60)
    assert (draft.claims["withinRto"], draft.claims["withinRpo"]) == (False, False)


def test_an_empty_backup_has_restored_nothing(home, tmp_path):
    done = Making(*home.targets, lambda: NOW)([])
    assert not home.restore(done, tmp_path / "place").restored


def test_a_drill_takes_an_empty_place_only(home, tmp_path):
    done = home.make()
    place = tmp_path / "place"
    place.mkdir()
    (place / "mine").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        home.restore(done, place)
    assert files(place) == {"mine": b"mine"}
