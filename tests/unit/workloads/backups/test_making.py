"""Backups write what is not there yet, keep wrapped keys apart, and name what is missing."""

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError
from ringfence.testing.backups import NOW, files, shelves
from ringfence.workloads.backups.making import Making, check_apart, wanted_of
from ringfence.workloads.backups.target import FolderTarget


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


def test_wrapped_keys_never_lie_with_the_ciphertext(home):
    home.make()
    wrapped = [path.read_bytes() for path in home.path.rglob("key.json")]
    assert len(wrapped) == 2
    held, of_keys = files(home.targets[0].path).values(), files(home.targets[1].path).values()
    assert not any(data in held for data in wrapped)
    assert all(data in of_keys for data in wrapped)


def test_keys_beside_the_ciphertext_and_backups_in_the_home_are_refused(tmp_path):
    home = tmp_path / "home"
    for first, second in (("a", "a"), ("a", "a/b"), ("a/b", "a"), ("home/x", "b"), ("b", "home")):
        with pytest.raises(UsageError):
            check_apart(FolderTarget(tmp_path / first), FolderTarget(tmp_path / second), home)
    check_apart(FolderTarget(tmp_path / "a"), FolderTarget(tmp_path / "b"), home)


def test_a_second_backup_writes_nothing_that_is_there(home):
    first = home.make()
    again = home.make()
    assert first.written > 0
    assert again.written == 0
    assert again.digest == first.digest


def test_what_is_recorded_and_not_here_is_named(home):
    path, epochs, models = home.path, home.epochs, home.models
    gone = {"dataset": "f" * 32, "epoch": 3, "seal": str(Digest.of(b"x")), "erased": False}
    done = Making(*home.targets, lambda: NOW)(wanted_of(path, [*epochs, gone], models))
    assert done.missing == (f"dataset {'f' * 32}/3",)


def test_an_erased_epoch_is_not_copied(home):
    path, epochs = home.path, home.epochs
    assert [one.name for one in wanted_of(path, [{**epochs[0], "erased": True}], {})] == []


def test_a_file_that_changes_while_it_is_copied_keeps_no_content(home, tmp_path):
    path = tmp_path / "moving"
    path.write_bytes(b"first")

    class Moving(FolderTarget):
        def size(self, name):
            path.write_bytes(b"other")
            return super().size(name)

    with pytest.raises(Conflict, match="changed"):
        Making(Moving(tmp_path / "b2"), home.targets[1], lambda: NOW)._copy(path, "moving", Moving(tmp_path / "b2"))
    assert files(tmp_path / "b2") == {}
