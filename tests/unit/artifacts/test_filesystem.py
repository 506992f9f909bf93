import gc
import io

import fsspec
import pandas as pd
import pytest

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.filesystem import SealedFileSystem
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName
from ringfence.kernel.errors import MalformedInput, Unavailable, UsageError, VerificationFailed
from ringfence.testing.artifacts import Counting, MemoryControl, MemoryKeyring

CSV = "id,text\n" + "".join(f"{number},row {number}\n" for number in range(20_000))


class World:
    def __init__(self, tmp_path):
        (tmp_path / "src" / "train").mkdir(parents=True)
        (tmp_path / "src" / "train" / "a.csv").write_text(CSV)
        (tmp_path / "src" / "readme.txt").write_text("hello\nworld\n")
        self.home, self.control, self.keyring = tmp_path, MemoryControl(), MemoryKeyring()
        access = RecordedAccess(self.control)
        work = Workbench(self.control, access, Home(tmp_path), Counting(b"fs"))
        work.seal(SealOrder(DatasetName("claims"), 65536), PlainFolder(tmp_path / "src"), self.keyring)
        self.options = {"home": str(tmp_path), "access": access, "keyring": lambda: self.keyring}

    def filesystem(self, **more):
        return SealedFileSystem(**self.options, **more)

    @property
    def openings(self):
        return [s.claims["purpose"] for s in self.control.stated if s.predicate == "dataset.opened"]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


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
        key = filesystem._opened["claims"].key
        assert any(key)
        drop(filesystem)
        del filesystem
        gc.collect()
        assert not any(key)
