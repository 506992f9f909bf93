import os
import secrets
import stat

import pytest

from ringfence.artifacts import blobs
from ringfence.artifacts.blobs import Home, new_folder
from ringfence.artifacts.model import DatasetId
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable, UsageError
from ringfence.kernel.identifier import Tenant

ACME = Tenant("acme")
ID = DatasetId("a" * 32)


def leftovers(home):
    return sorted(path.name for path in (home / "datasets").rglob("*") if path.name not in {".staging", ".turn"})


def fail_after_writing(sink):
    sink.write(b"1")
    raise Unavailable("the disk is full")


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "out") as folder:
        with folder.create("a/b/c") as sink:
            sink.write(b"1")
            sink.write(memoryview(b"23"))
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out/a/b/c").read_bytes() == b"123"
    assert stat.S_IMODE((tmp_path / "out/a/b/c").stat().st_mode) == 0o600
    with pytest.raises(Unavailable), new_folder(tmp_path / "other") as folder, folder.create("x") as sink:
        fail_after_writing(sink)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_destination_that_exists_is_left_alone(tmp_path):
    (tmp_path / "link").symlink_to("/nowhere")
    for name in (".", "link"):
        with pytest.raises(Conflict), new_folder(tmp_path / name):
            pass


def test_a_file_is_created_once_and_only_below_real_folders(tmp_path):
    with new_folder(tmp_path / "out") as folder:
        with folder.create("a"):
            pass
        for name in ("a", "a/b"):
            with pytest.raises(UsageError), folder.create(name):
                pass


def test_a_full_disk_is_a_missing_resource(tmp_path):
    with new_folder(tmp_path / "out") as folder, folder.create("a") as sink:
        sink._descriptor, kept = os.open("/dev/full", os.O_WRONLY), sink._descriptor
        with pytest.raises(Unavailable, match="full"):
            sink.write(b"x")
        os.close(sink._descriptor)
        sink._descriptor = kept


def staged(home, *, publish=True, settle=True, error=None, recorded=None, epoch=1):
    with Home(home).staging(ACME, recorded or {}) as folder:
        with folder.create("objects/one") as sink:
            sink.write(b"1")
        if publish:
            folder.publish(ID, epoch)
        if error:
            raise error
        if settle:
            folder.settle(b"envelope")


def test_a_settled_dataset_stays(tmp_path):
    staged(tmp_path)
    assert leftovers(tmp_path) == ["1", ID, "chunks", "objects", "one", "seal.dsse"]
    with Home(tmp_path).vault(ID, 1) as vault:
        assert vault.read("seal.dsse", 100) == b"envelope"
    with pytest.raises(NotFound), Home(tmp_path).vault(ID, 2):
        pass


@pytest.mark.parametrize("publish", [True, False])
@pytest.mark.parametrize("error", [None, Refused("no"), UsageError("no"), OSError("no")])
def test_a_dataset_that_was_not_recorded_is_removed(tmp_path, publish, error):
    if error:
        with pytest.raises(type(error)):
            staged(tmp_path, publish=publish, error=error)
    else:
        staged(tmp_path, publish=publish, settle=False)
    assert leftovers(tmp_path) in ([], [ID])


@pytest.mark.parametrize("error", [Unavailable("answer lost"), KeyboardInterrupt()])
def test_where_nobody_knows_whether_it_was_recorded_the_next_writer_finds_out(tmp_path, error):
    for recorded, stays in (({ID: 1}, True), ({}, False)):
        with pytest.raises(type(error)):
            staged(tmp_path, error=error)
        assert "pending" in leftovers(tmp_path)
        staged(tmp_path, recorded=recorded, epoch=2)
        assert "pending" not in leftovers(tmp_path)
        assert (tmp_path / "datasets" / ID / "1").exists() is stays
        blobs.shutil.rmtree(tmp_path / "datasets")


def test_leftovers_of_others_are_left_to_them(tmp_path):
    with pytest.raises(Unavailable):
        staged(tmp_path, error=Unavailable("answer lost"))
    with Home(tmp_path).staging(Tenant("other"), {}):
        pass
    assert "pending" in leftovers(tmp_path)


def test_living_writers_are_left_alone(tmp_path):
    home = Home(tmp_path)
    with home.staging(ACME, {}) as first:
        with home.staging(ACME, {}) as second:
            assert first.path.exists()
            assert second.path.exists()
            first.publish(ID, 1)
            with pytest.raises(Conflict, match="somebody else"):
                second.publish(ID, 1)
            with home.staging(ACME, {}):
                assert first.path.exists()
        first.settle(None)
    assert (tmp_path / "datasets" / ID / "1").exists()


def test_staging_of_killed_writers_is_removed(tmp_path):
    left = tmp_path / "datasets" / ".staging" / secrets.token_hex(8)
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    staged(tmp_path)
    assert not left.exists()
