import copy
import gc
import io
import os
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pandas as pd
import pytest

from ringfence.kernel.errors import MalformedInput, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.testing.sealed import SealedWorld

CSV = "id,text\n" + "".join(f"{number},row {number}\n" for number in range(20_000))


@pytest.fixture
def world(tmp_path):
    return SealedWorld(tmp_path, {"train/a.csv": CSV.encode(), "readme.txt": b"hello\nworld\n"})


def test_pandas_reads_a_sealed_csv(world):
    frame = pd.read_csv("sealed://claims/train/a.csv", storage_options=world.options)
    assert len(frame) == 20_000
    assert frame["id"].sum() == sum(range(20_000))
    assert world.openings == ["read"]


def test_listing(world):
    filesystem = world.filesystem()
    assert filesystem.ls("", detail=False) == ["claims"]
    assert world.openings == []
    assert filesystem.ls("claims", detail=False) == ["claims/readme.txt", "claims/train"]
    assert filesystem.ls("sealed://claims/train/")[0] == {
        "name": "claims/train/a.csv",
        "size": len(CSV),
        "type": "file",
    }
    assert filesystem.find("claims") == ["claims/readme.txt", "claims/train/a.csv"]
    assert filesystem.info("claims/train")["type"] == "directory"
    assert filesystem.info("claims/readme.txt")["size"] == 12
    assert filesystem.exists("claims/readme.txt")
    assert not filesystem.exists("claims/nothing")
    assert world.openings == ["read"]


def test_reading_and_seeking(world):
    with world.filesystem(mode="audit", purpose_code="train").open("claims/train/a.csv", "rb") as file:
        assert file.read(7) == CSV[:7].encode()
        file.seek(100_000)
        assert file.read(50) == CSV[100_000:100_050].encode()
        assert file.seek(-10, io.SEEK_END) == len(CSV) - 10
        assert file.read() == CSV[-10:].encode()
        assert file.read() == b""
        file.seek(0)
        assert file.read() == CSV.encode()
        assert file.readable()
        assert not file.writable()
        with pytest.raises((ValueError, OSError)):
            file.seek(-1)
    assert world.openings == ["train"]


def test_text_mode(world):
    with world.filesystem().open("claims/readme.txt", "r") as file:
        assert list(file) == ["hello\n", "world\n"]


def test_every_filesystem_object_asks_for_itself(world):
    for _ in range(2):
        with fsspec.open("sealed://claims/readme.txt", **world.options) as file:
            assert file.read() == b"hello\nworld\n"
    assert len(world.openings) == 2


def test_without_a_recorded_opening_there_is_no_byte(world):
    world.control.recorder.unpublished = Unavailable("the log is down")
    with pytest.raises(Unavailable):
        world.filesystem().open("claims/readme.txt")


def test_nothing_can_be_written(world):
    with pytest.raises(UsageError, match="read-only"):
        world.filesystem().open("claims/new", "wb")


def test_wrong_options_and_names(world):
    with pytest.raises(UsageError):
        world.filesystem(mode="none")
    with pytest.raises(MalformedInput):
        world.filesystem(purpose_code="A sentence")
    with pytest.raises(MalformedInput):
        world.filesystem().ls("../x")
    for path in ("claims/none", "claims/train"):
        with pytest.raises(FileNotFoundError):
            world.filesystem().open(path)


def test_a_damaged_chunk_is_not_handed_out(world):
    (objects,) = world.home.glob("datasets/*/1/objects")
    big = max(objects.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(big.read_bytes())
    data[-1] ^= 1
    big.write_bytes(data)
    with (
        world.filesystem().open("claims/train/a.csv") as file,
        pytest.raises(VerificationFailed, match=r"train/a\.csv, chunk 4"),
    ):
        file.read()


def test_keys_are_overwritten_on_close_and_when_nobody_holds_the_filesystem(world):
    for drop in (lambda fs: fs.close(), lambda _fs: None):
        filesystem = world.filesystem()
        filesystem.cat("claims/readme.txt")
        key = filesystem._opened["claims"].dataset.key
        assert any(key)
        drop(filesystem)
        del filesystem
        gc.collect()
        assert not any(key)


def test_folders_are_walked_as_fsspec_has_it(world):
    filesystem = world.filesystem()
    assert list(filesystem.walk("claims")) == [("claims", ["train"], ["readme.txt"]), ("claims/train", [], ["a.csv"])]
    assert filesystem.glob("claims/**/*.csv") == ["claims/train/a.csv"]
    assert filesystem.info("") == {"name": "", "size": 0, "type": "directory"}
    assert (filesystem.isdir("claims/train"), filesystem.isfile("claims/train/a.csv")) == (True, True)
    assert filesystem.du("claims") == len(CSV) + 12
    assert filesystem.cat_ranges(["claims/train/a.csv"] * 2, [0, 70_000], [5, 70_005]) == [
        CSV[:5].encode(),
        CSV[70_000:70_005].encode(),
    ]
    with pytest.raises(FileNotFoundError):
        filesystem.info("claims/tra")
    assert filesystem.ukey("claims/readme.txt") != filesystem.ukey("claims/train/a.csv")
    assert filesystem.modified("claims/readme.txt") == world.filesystem().modified("claims/train/a.csv")


def test_a_copy_for_another_process_holds_no_key_and_asks_for_itself(world):
    filesystem = world.filesystem()
    filesystem.cat("claims/readme.txt")
    sent = copy.copy(filesystem)  # by the same `__reduce__` that sends it to another process
    assert sent._opened == {}
    assert sent.cat("claims/readme.txt") == b"hello\nworld\n"
    assert len(world.openings) == 2


def test_many_threads_ask_once(world):
    filesystem = world.filesystem()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: filesystem.cat("claims/readme.txt"), range(32)))
    assert set(found) == {b"hello\nworld\n"}
    assert world.openings == ["read"]


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as one:
        yield lambda act, *given: one.submit(act, *given).result()


def reads(file, name, size):
    return getattr(file, name)(size)


def into(file, _, size):
    buffer = bytearray(size)
    return bytes(buffer[: file.readinto(buffer)])


@pytest.mark.parametrize(("how", "name"), [(reads, "read"), (reads, "read1"), (into, "readinto")])
def test_a_seek_holds_for_the_thread_that_did_it(world, thread, how, name):
    """DuckDB reads one file in several threads: a seek, then a read, and another thread's seek between the two."""
    with world.filesystem().open("claims/train/a.csv", "rb") as file:
        for mine, others in [(100_000, 200_000), (5, 100_005), (150_000, 0)]:
            file.seek(mine)
            thread(file.seek, others)
            assert how(file, name, 50) == CSV[mine : mine + 50].encode()
            assert thread(how, file, name, 50) == CSV[others : others + 50].encode()
        file.seek(1000)
        thread(file.seek, 2000)
        assert file.seek(7, io.SEEK_CUR) == 1007
        assert how(file, name, 5) == CSV[1007:1012].encode()


def test_a_file_that_one_thread_hands_to_another_goes_on_where_it_was(world, thread):
    with world.filesystem().open("claims/train/a.csv", "rb") as file:
        file.seek(1000)
        assert thread(file.read, 10) == CSV[1000:1010].encode()
        assert file.read(10) == CSV[1010:1020].encode()
        assert thread(file.readline) == CSV[1020 : CSV.index("\n", 1020) + 1].encode()
        assert file.read(5) == CSV[CSV.index("\n", 1020) + 1 :][:5].encode()


def test_a_fork_reads_on_with_what_was_opened_and_waits_for_no_lock_of_its_parent(world):
    filesystem = world.filesystem()
    filesystem.cat("claims/readme.txt")
    with filesystem._lock:  # another thread of ours is opening something
        reading, writing = os.pipe()
        if not (child := os.fork()):
            os.write(writing, filesystem.cat("claims/readme.txt"))
            os._exit(0)
        os.close(writing)
        assert os.read(reading, 100) == b"hello\nworld\n"
    assert os.waitpid(child, 0)[1] == 0
    os.close(reading)
    assert world.openings == ["read"]


def test_no_plain_copy_is_written_unasked(world, tmp_path):
    with pytest.raises(Refused, match="plain_copies=True"):
        world.filesystem().get("claims/readme.txt", str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()


def test_an_older_epoch_is_read_by_its_number_and_recorded_as_that(tmp_path):
    world = SealedWorld(tmp_path, {"a": b"old"})
    (tmp_path / "src" / "a").write_bytes(b"new")
    world.seal()
    files = world.filesystem()
    assert files.cat_file("claims/a") == files.cat_file("claims@2/a") == b"new"
    assert files.cat_file("sealed://claims@1/a") == b"old"
    assert [row["name"] for row in files.ls("claims@1")] == ["claims@1/a"]
    assert [said.claims["epoch"] for said in world.control.stated if said.predicate == "dataset.opened"] == [2, 2, 1]
    for path in ("claims@3/a", "claims@0/a", "claims@x/a", "claims@1@2/a"):
        with pytest.raises((UsageError, FileNotFoundError)):
            files.cat_file(path)
