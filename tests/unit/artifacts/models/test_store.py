import os
import stat
import time

import pytest

from ringfence.artifacts.models.blobs import model_folder, verified
from ringfence.artifacts.models.model import ModelName, Verdict
from ringfence.artifacts.models.store import Shelf, Stamping, copy_model, scan_folder, sign_folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, VerificationFailed
from ringfence.testing.models import HOSTILE, key

NAME = ModelName("tiny")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "sub" / "b.txt").write_text("b")
    return made


def age(folder):
    """Let the files be older than a second, as the kernel sees it."""
    newest = max(path.stat().st_ctime_ns for path in folder.rglob("*"))
    while time.time_ns() - newest <= 1_050_000_000:
        time.sleep(0.05)


def test_signing_writes_one_bundle_that_verifies(folder):
    with model_folder(folder) as opened:
        done = sign_folder(opened, folder, key())
    assert (folder / "model.sig").read_bytes() == done.bundle
    assert done.size == 2
    with verified(folder, [key().public]) as model:
        assert model.manifest == done.manifest


def test_what_the_log_does_not_take_leaves_no_signature(folder):
    def refuse(done):
        assert done.manifest.files
        raise Refused("these bytes came from outside")

    with model_folder(folder) as opened, pytest.raises(Refused):
        sign_folder(opened, folder, key(), first=refuse)
    assert not (folder / "model.sig").exists()
    with model_folder(folder) as opened:
        before = sign_folder(opened, folder, key()).bundle
    with model_folder(folder) as opened, pytest.raises(Refused):
        sign_folder(opened, folder, key(), first=refuse)
    assert (folder / "model.sig").read_bytes() == before


def test_signing_again_reads_only_what_changed(folder, tmp_path):
    stamping = Stamping.at_home(tmp_path / "home", folder)
    age(folder)

    def sign():
        with model_folder(folder) as opened:
            return sign_folder(opened, folder, key(), stamping).manifest

    first = sign()
    assert stat.S_IMODE(stamping.path.stat().st_mode) == 0o600
    lie = stamping.path.read_text().replace(Digest.of(b"b").hex, Digest.of(b"lie").hex)
    stamping.path.write_text(lie)
    (folder / "a.txt").write_text("new")
    second = sign()
    assert second.of("a.txt") == Digest.of(b"new")
    assert second.of("sub/b.txt") == Digest.of(b"lie")  # taken from the stamp
    assert first.of("sub/b.txt") == Digest.of(b"b")


@pytest.mark.parametrize("damage", ["junk", "open to others"])
def test_stamps_that_are_damaged_or_open_to_others_say_nothing(folder, tmp_path, damage):
    stamping = Stamping(tmp_path / "stamps.json")
    age(folder)
    with model_folder(folder) as opened:
        sign_folder(opened, folder, key(), stamping)
    assert stamping.load().before
    if damage == "junk":
        stamping.path.write_text("junk")
    else:
        os.chmod(stamping.path, 0o644)  # noqa: PTH101
    assert not stamping.load().before


def test_a_scan_hashes_the_very_files_that_it_judged(folder):
    with model_folder(folder) as opened:
        looked = scan_folder(opened)
        signed = sign_folder(opened, folder, key())
    assert looked.manifest.digest == signed.manifest.digest
    assert looked.report.verdict is Verdict.CLEAN
    (folder / "x").write_bytes(HOSTILE["os.system"])
    with model_folder(folder) as opened:
        assert scan_folder(opened).report.verdict is Verdict.REFUSED


def refuse(shelf, source):
    with shelf.new(NAME) as staged:
        copy_model(source, staged)
        raise VerificationFailed("no")


def test_an_import_appears_as_a_whole_or_not_at_all(folder, tmp_path):
    shelf = Shelf(tmp_path)
    with pytest.raises(NotFound, match="was imported"):
        shelf.path(NAME)
    assert shelf.names() == []
    with model_folder(folder) as source:
        with pytest.raises(VerificationFailed):
            refuse(shelf, source)
        assert not any((tmp_path / "models" / ".staging").iterdir())
        assert shelf.names() == []
        with shelf.new(NAME) as staged:
            copy_model(source, staged)
    assert (shelf.path(NAME) / "sub" / "b.txt").read_text() == "b"
    assert shelf.names() == [NAME]
    with pytest.raises(Conflict, match="imported already"), shelf.new(NAME):
        pass


def test_what_a_killed_import_left_is_removed_and_a_living_one_is_not(tmp_path):
    shelf, staging = Shelf(tmp_path), tmp_path / "models" / ".staging"
    (staging / "left").mkdir(parents=True)
    with shelf.new(NAME) as living, shelf.new(ModelName("other")):
        assert not (staging / "left").exists()
        assert living.exists()
    assert shelf.names() == ["other", NAME]
