"""From files to rows: formats, splits, and what could not be looked into."""

import io

import pytest

from ringfence.artifacts.checks import limits, reading
from ringfence.artifacts.checks.model import Outcome, Row
from ringfence.kernel.errors import UsageError
from ringfence.testing.training import FilesInMemory, Memory

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50


def read(content, splits=None):
    told = reading.Read()
    found = list(reading.rows(FilesInMemory(content), splits or reading.Splits(), told))
    return found, told


def test_each_format_is_read_by_its_ending():
    found, told = read(
        {"a.csv": b"x\n1\n", "b.tsv": b"x\ty\n1\t2\n", "c.JSONL": b'{"x":1}\n', "d.txt": b"hi\n", "e.png": PNG}
    )
    assert [row.file for row in found] == ["a.csv", "b.tsv", "c.JSONL", "d.txt", "e.png"]
    assert told.result(0.0).outcome is Outcome.PASSED
    assert told.opaque == 1
    assert len(found[4].cells["sha256"]) == 64


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", b"PK\x03\x04"),
        ("a.csv.gz", b"\x1f\x8b"),
        ("a.pkl", b"\x80\x04"),
        ("noending", b"x"),
        ("fake.png", b"<script>"),
        ("empty.csv", b""),
        ("a.parquet", b"PAR1"),
        ("bomb.csv", b"PK\x03\x04" + b"\0" * 100 + b"\n" + b"\0\n" * 2000),
    ],
)
def test_what_nobody_can_look_into_fails(name, data):
    found, told = read({name: data, "good.txt": b"x\n"})
    assert [row.file for row in found] == ["good.txt"]
    result = told.result(1.0)
    assert result.outcome is Outcome.FAILED
    assert result.findings[0].file == name


def test_broken_records_are_counted_against_their_share():
    _, told = read({"a.jsonl": b'{"x":1}\n' * 9 + b"{\n"})
    assert told.result(0.0).outcome is Outcome.FAILED
    assert told.result(0.1).outcome is Outcome.PASSED
    assert told.result(0.0).findings[0].row == 10


def test_nothing_at_all_is_no_pass():
    assert read({})[1].result(1.0).outcome is Outcome.FAILED
    assert read({"README.md": b"x", "model.sig": b"x"})[1].result(1.0).outcome is Outcome.FAILED


def test_too_many_files_are_refused():
    limit, reading.MAX_FILES = limits.MAX_FILES, 2
    try:
        with pytest.raises(UsageError, match="more than 2 files"):
            read({f"{n}.txt": b"x\n" for n in range(3)})
    finally:
        reading.MAX_FILES = limit


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train.csv", "train"),
        ("x/Test/1.csv", "test"),
        ("val-0001.parquet", "validation"),
        ("my_dev.jsonl", "validation"),
        ("contest.csv", ""),
        ("data.csv", ""),
    ],
)
def test_splits_are_found_by_the_usual_names(path, split):
    assert reading.Splits().of_file(path) == split


def test_splits_that_are_named_are_the_only_ones():
    splits = reading.parse_splits(["a=x*.csv", "b=deep"])
    assert [splits.of_file(path) for path in ("x1.csv", "deep/er/y.csv", "train.csv")] == ["a", "b", ""]
    assert reading.Splits(column="s").of_row(Row("f", 1, "", {"s": "q"})).split == "q"
    for wrong in (["a"], ["=x"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            reading.parse_splits(wrong)


def test_a_stream_reads_and_seeks_like_a_file():
    data = bytes(range(256)) * 10
    stream, real = io.BufferedReader(reading.Stream(Memory(data)), 16), io.BytesIO(data)
    for offset, whence, size in ((5, 0, 30), (-20, 2, 50), (-10, 1, 5), (9999, 0, 3)):
        assert stream.seek(offset, whence) == real.seek(offset, whence) == stream.tell()
        assert stream.read(size) == real.read(size)
    assert reading.first(FilesInMemory({"a.txt": b"1\n2\n3\n"}), reading.Splits(), 2)[1].cells == {"text": "2"}
