import os
import shutil

import pytest

from ringfence.artifacts.models.contents import UNUSED_NS, Contents
from ringfence.artifacts.models.methods import Algorithm, Comparison, Part
from ringfence.artifacts.models.snapshots import source
from ringfence.artifacts.models.stamps import SETTLED_NS
from ringfence.artifacts.models.store import Import, Looked, model_folder, scan_folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable, VerificationFailed


@pytest.fixture
def contents(tmp_path):
    return Contents(tmp_path / "contents", lambda: 0)


@pytest.fixture
def model(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    (made / "a").write_bytes(b"\x00" * 3_000_000)
    (made / "b").write_bytes(b"b")
    for name in ("a", "b"):
        os.utime(made / name, ns=(1, 1))
    return made


def taken(contents, path, name, comparison=None):
    with source(path) as opened, opened.content(name) as content:
        return contents.take(content, comparison)


def kept(contents):
    return sorted(path.name for path in contents.root.glob("??/*"))


def test_bytes_are_kept_once_and_frozen(contents, model, tmp_path):
    digest = taken(contents, model, "a")
    assert taken(contents, model, "a") == digest == Digest.of(b"\x00" * 3_000_000)
    assert (kept(contents), contents.made) == ([digest.hex], [digest])
    contents.place(digest, tmp_path / "one" / "x")
    contents.place(digest, tmp_path / "two" / "y")
    first, second = (tmp_path / "one" / "x").stat(), (tmp_path / "two" / "y").stat()
    assert first.st_ino == second.st_ino
    assert first.st_mode & 0o777 == 0o400
    assert not list(contents.root.glob(".partial*"))


def test_what_does_not_match_leaves_nothing(contents, model):
    with pytest.raises(VerificationFailed):
        taken(contents, model, "a", Comparison(Algorithm.SHA256, [Part(0, None, bytes(32))]))
    assert kept(contents) == []
    assert not list(contents.root.glob(".partial*"))


def test_what_nobody_holds_goes_after_a_day(contents, model, tmp_path):
    held, alone = taken(contents, model, "a"), taken(contents, model, "b")
    contents.place(held, tmp_path / "m" / "a")
    (contents.root / ".partial-0").touch()
    contents.sweep()
    assert len(kept(contents)) == 2
    later = Contents(contents.root, lambda: (contents.root / ".partial-0").stat().st_ctime_ns + UNUSED_NS + 1)
    later.sweep()
    assert kept(contents) == [held.hex]
    assert not (contents.root / ".partial-0").exists()
    assert not contents.holds(alone, 1)


def into(home, model, staged, *, error=None):
    with Import.into(home) as taking, source(model) as opened:
        found = taking.copy(opened, model, staged)
        if error:
            shutil.rmtree(staged)  # as the shelf does
            raise error
        return taking, found


def test_a_refused_import_leaves_nothing_and_an_interrupted_one_is_found_again(tmp_path, model):
    home = tmp_path / "home"
    for error, left in ((VerificationFailed("the scan refuses it"), 0), (Unavailable("the disk is full"), 2)):
        with pytest.raises(type(error)):
            into(home, model, tmp_path / "staged", error=error)
        assert len(list((home / "models" / ".contents").glob("??/*"))) == left
    before = {path: path.stat().st_ino for path in (home / "models" / ".contents").glob("??/*")}
    taking, _ = into(home, model, tmp_path / "again")
    assert taking.contents.made == []
    assert {path: path.stat().st_ino for path in before} == before


class Counting(Contents):
    """Contents that say what was copied into them."""

    def take(self, content, comparison=None):
        copied.append(content.name)
        return super().take(content, comparison)


copied: list[str] = []


def test_what_was_taken_in_already_is_not_read_again(tmp_path, model):
    home, later = tmp_path / "home", model.stat().st_ctime_ns + 100 * SETTLED_NS
    for staged, expected in (("one", ["a", "b"]), ("two", [])):
        copied.clear()
        taking = Import(home, Counting(home / "models" / ".contents", lambda: later))
        with taking.running(), source(model) as opened:
            found = taking.copy(opened, model, tmp_path / staged)
        assert copied == expected
        assert found == {"a": Digest.of(b"\x00" * 3_000_000), "b": Digest.of(b"b")}


def test_a_damaged_content_is_seen_and_removed(tmp_path, model):
    home, staged = tmp_path / "home", tmp_path / "staged"
    taking, found = into(home, model, staged)
    path = staged / "b"
    path.chmod(0o600)
    path.write_bytes(b"B")
    path.chmod(0o400)
    with model_folder(staged) as folder:
        looked = scan_folder(folder)
    assert isinstance(looked, Looked)
    with pytest.raises(VerificationFailed, match="'b' lies in the store with other bytes"):
        taking.check(found, looked)
    assert not taking.contents.holds(found["b"], 1)
    assert taking.contents.holds(found["a"], 3_000_000)


def test_a_hard_link_counts_only_while_nobody_may_write_to_it(tmp_path, model):
    home, staged = tmp_path / "home", tmp_path / "staged"
    into(home, model, staged)
    with model_folder(staged) as folder:
        assert set(folder.hashed()) == {"a", "b"}
    (staged / "b").chmod(0o600)
    with pytest.raises(RingfenceError, match="hard link"), model_folder(staged) as folder:
        folder.hashed()
