import pytest

from ringfence.artifacts.blobs import Home, PlainFolder, new_folder
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName
from ringfence.artifacts.provenance import parse_provenance
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable, VerificationFailed
from ringfence.testing.artifacts import Counting, MemoryControl, MemoryFolder, MemoryKeyring

NAME = DatasetName("claims")


class Bench:
    def __init__(self, tmp_path):
        self.home = tmp_path / "home"
        self.source = tmp_path / "source"
        (self.source / "deep").mkdir(parents=True)
        (self.source / "deep" / "a.csv").write_bytes(b"x,y\n1,2\n" * 20_000)
        (self.source / "empty").write_bytes(b"")
        self.control = MemoryControl()
        self.keyring = MemoryKeyring()
        self.work = Workbench(self.control, RecordedAccess(self.control), Home(self.home), Counting(b"work"))

    def seal(self, **order):
        return self.work.seal(SealOrder(NAME, 65536, **order), PlainFolder(self.source), self.keyring)

    def stored(self, document):
        return self.home / "datasets" / document["dataset"] / str(document["epoch"])

    @property
    def predicates(self):
        return [statement.predicate for statement in self.control.stated]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_seal_writes_and_states(bench):
    document = bench.seal()
    assert document.keys() >= {"dataset", "name", "epoch", "objects", "bytes", "ciphertext_root", "seal", "statement"}
    assert (document["epoch"], document["objects"], document["bytes"]) == (1, 2, 160_000)
    assert document["statement"]["stage"] == "published"
    names = {path.name for path in bench.stored(document).iterdir()}
    assert names == {"seal.json", "seal.dsse", "key.json", "index", "objects", "chunks"}
    assert (bench.stored(document) / "seal.dsse").read_bytes() == bench.control.recorder.admitted[0].data


def test_every_seal_is_a_new_epoch_in_a_new_folder(bench):
    first, second = bench.seal(), bench.seal(epoch=2)
    assert second["dataset"] == first["dataset"]
    assert bench.stored(first).exists()
    assert bench.stored(second).exists()
    with pytest.raises(Conflict, match="next epoch of claims is 3"):
        bench.seal(epoch=2)


def test_provenance_is_stated_beside_the_seal(bench):
    document = bench.seal(provenance=parse_provenance(b"licence: MIT\nsource: the archive\n"))
    assert bench.predicates == ["dataset.sealed", "dataset.provenance"]
    assert document["provenance"]["stage"] == "published"
    assert bench.control.stated[1].subjects == bench.control.stated[0].subjects


def test_a_refused_seal_leaves_nothing(bench):
    bench.control.recorder.broken = Refused("no")
    with pytest.raises(Refused):
        bench.seal()
    assert not list(bench.home.rglob("seal.json"))


def test_a_lost_answer_leaves_a_dataset_that_the_next_seal_keeps(bench):
    def lose(_path):
        raise Unavailable("the connection broke")

    bench.control.after = lose
    with pytest.raises(Unavailable):
        bench.seal()
    bench.control.after = lambda _path: None
    second = bench.seal()
    assert second["epoch"] == 2
    assert (bench.stored(second).parent / "1" / "seal.json").exists()
    assert not list(bench.home.rglob("pending"))


def test_open_records_first_and_writes_the_files(bench, tmp_path):
    bench.seal()
    with new_folder(tmp_path / "out") as folder:
        document = bench.work.open(NAME, "train", lambda: bench.keyring, folder)
    assert document["purpose"] == "train"
    assert bench.predicates == ["dataset.sealed", "dataset.opened"]
    for name in ("deep/a.csv", "empty"):
        assert (tmp_path / "out" / name).read_bytes() == (bench.source / name).read_bytes()


@pytest.mark.parametrize("broken", ["broken", "unpublished"])
def test_where_the_opening_is_not_published_no_key_is_touched(bench, broken):
    bench.seal()
    setattr(bench.control.recorder, broken, Unavailable("the log is down"))
    touched = []
    with pytest.raises(Unavailable):
        bench.work.open(NAME, "train", lambda: touched.append(1), MemoryFolder())
    with pytest.raises(Unavailable):
        bench.work.verify(NAME, lambda: touched.append(1))
    assert touched == []


def test_an_answer_that_is_only_sequenced_releases_nothing(bench):
    bench.seal()

    class Early(MemoryControl):
        def state(self, draft, *, path, body):  # noqa: ARG002
            return {"statement": {"stage": "integrated"}}

        def get(self, path):
            return bench.control.get(path)

    with pytest.raises(Unavailable, match="not published"):
        RecordedAccess(Early()).request(NAME, "train")


def test_unknown_datasets(bench):
    with pytest.raises(NotFound, match="no dataset claims"):
        bench.work.verify(NAME, None)
    with pytest.raises(NotFound, match="no dataset claims"):
        bench.work.open(NAME, "train", lambda: bench.keyring, MemoryFolder())


def test_a_damaged_chunk_ends_the_opening_and_removes_what_was_written(bench, tmp_path):
    document = bench.seal()
    big = max((bench.stored(document) / "objects").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(big.read_bytes())
    data[-100] ^= 1
    big.write_bytes(data)
    with (
        pytest.raises(VerificationFailed, match=r"deep/a\.csv, chunk 2"),
        new_folder(tmp_path / "out") as folder,
    ):
        bench.work.open(NAME, "train", lambda: bench.keyring, folder)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_verify_states_pass_and_fail(bench):
    document = bench.seal()
    assert bench.work.verify(NAME, None)["result"] == "pass"
    (bench.stored(document) / "objects" / "extra").write_bytes(b"")
    found = bench.work.verify(NAME, lambda: bench.keyring)
    assert found["result"] == "fail"
    assert found["failed"] == [
        {"object": "objects/extra", "chunk": None, "reason": "it does not belong to this dataset"}
    ]
    assert bench.predicates == ["dataset.sealed", "dataset.verified", "dataset.opened", "dataset.verified"]
    assert [s.claims.get("result") for s in bench.control.stated] == [None, "pass", None, "fail"]


def test_an_older_epoch_in_the_folder_of_the_newest_fails(bench):
    first, second = bench.seal(), bench.seal()
    bench.stored(second).rename(bench.home / "away")
    bench.stored(first).rename(bench.stored(second))
    found = bench.work.verify(NAME, None)
    assert found["result"] == "fail"
    assert "rolled back" in found["failed"][0]["reason"]
