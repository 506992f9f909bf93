"""Backups write what is not there yet, keep wrapped keys apart, and name what is missing."""

import pytest

from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Erasure, Sealed
from ringfence.artifacts.statements import to_json
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError
from ringfence.testing.backups import NOW, files, shelves
from ringfence.workloads.backups.making import Making, Wanted, check_apart, wanted_of
from ringfence.workloads.backups.model import Kind
from ringfence.workloads.backups.target import FolderTarget, target_of


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


def test_wrapped_keys_never_lie_with_the_ciphertext(home):
    home.make()
    wrapped = [path.read_bytes() for path in home.path.rglob("key.json")]
    assert len(wrapped) == 2
    assert list(home.path.rglob(".key.json.*"))
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
    gone = {"dataset": "f" * 32, "epoch": 3, "seal": str(Digest.of(b"x")), "erasure": None}
    done = Making(*home.targets, lambda: NOW)(wanted_of(path, [*epochs, gone], models))
    assert done.missing == (f"dataset {'f' * 32}/3",)


def sealed(erasure=None):
    dataset = DatasetId("e" * 32)
    digest = Digest.of(b"seal")
    return Sealed(dataset, DatasetName("rows"), 1, digest, 1, 1, digest, Custody.EXTERNAL, erasure)


def test_an_erased_epoch_is_not_copied(home):
    """In the words in which the API says that it was asked for, or done."""
    (kept,) = [to_json(sealed()) | {"seal": home.epochs[0]["seal"]}]
    gone = to_json(sealed(erasure=Erasure(Digest.of(b"asked"), done=False)))
    assert [one.name for one in wanted_of(home.path, [kept, gone], {})] == [f"{kept['dataset']}/{kept['epoch']}"]


@pytest.mark.parametrize("name", ["pending", "journal", ".hidden"])
def test_a_model_may_hold_a_file_of_any_name(tmp_path, name):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / name).write_bytes(b"weights")
    done = Making(FolderTarget(tmp_path / "b"), FolderTarget(tmp_path / "k"), lambda: NOW)(
        [Wanted(Kind.MODEL, "tiny", Digest.of(b"x"), folder)]
    )
    assert [file.path for file in done.index.things[0].files] == [name]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("memory://backup", "memory://backup"),
        ("memory://backup/", "memory://backup/keys"),
        ("memory://", "memory://keys"),
        ("file://{0}/a", "{0}/a"),
        ("{0}/a", "local://{0}/a/keys"),
        ("file://{0}/a/../home/x", "{0}/keys"),
    ],
)
def test_keys_beside_the_ciphertext_are_refused_behind_any_address(tmp_path, first, second):
    targets = [target_of(text.format(tmp_path)) for text in (first, second)]
    with pytest.raises(UsageError, match=r"kept apart|lies in the home"):
        check_apart(*targets, tmp_path / "home")


def test_two_remote_places_are_apart(tmp_path):
    check_apart(target_of("memory://backup"), target_of("memory://backup-keys"), tmp_path / "home")


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
