import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ringfence.artifacts.samples import formats
from ringfence.artifacts.samples.formats import Fixed, JsonLines, Lines, ParquetRows, Rows, Whole, named
from ringfence.artifacts.samples.plan import Part
from ringfence.kernel.errors import MalformedInput, UsageError


def read(form, data, *, resume=None):
    """Return every record of a file, part by part; with `resume` begin each part anew behind that many records."""
    found = []
    for part in form.parts("file", len(data), lambda: io.BytesIO(data)):
        records, position = [], 0
        for record, after in form.records(io.BytesIO(data), part, 0):
            records.append(record)
            position = after
            if resume is not None and len(records) == resume:
                records += [record for record, _ in form.records(io.BytesIO(data), part, position)]
                break
        found += records
    return found


@given(lines=st.lists(st.binary(max_size=30).filter(lambda line: not {10, 13} & set(line))), step=st.integers(1, 40))
def test_each_line_is_read_once_however_the_file_is_cut(lines, step):
    data = b"".join(line + b"\n" for line in lines)
    assert read(Lines(step), data) == lines
    assert read(Lines(step), data, resume=1) == lines
    assert read(Lines(step), data.removesuffix(b"\n")) == (lines if not lines or lines[-1] else lines[:-1])


@given(count=st.integers(0, 40), size=st.integers(1, 9), step=st.integers(1, 50), resume=st.integers(1, 3))
def test_records_of_one_size(count, size, step, resume):
    records = [bytes([number]) * size for number in range(count)]
    assert read(Fixed(size, step), b"".join(records)) == records
    assert read(Fixed(size, step), b"".join(records), resume=resume) == records


def test_json_lines_may_hold_any_number_and_blank_lines():
    data = b'{"a":1.5}\n\n[1]\r\n"x"'
    assert read(JsonLines(4), data) == [{"a": 1.5}, [1], "x"]
    with pytest.raises(MalformedInput, match="ends at byte 4"):
        read(JsonLines(), b"{ ]\n")
    with pytest.raises(MalformedInput, match="not JSON"):
        read(JsonLines(), b"[" * 100_000 + b"\n")


def test_rows_with_a_header():
    data = 'a,b\n1,"x\ny"\n2,ä\n'.encode("utf-8-sig")
    expected = [{"a": "1", "b": "x\ny"}, {"a": "2", "b": "ä"}]
    assert read(Rows(), data) == expected
    assert read(Rows(), data, resume=1) == expected
    assert read(Rows("\t"), b"a\tb\n1\t2\n") == [{"a": "1", "b": "2"}]
    assert read(Rows(), b"") == []


@pytest.mark.parametrize("data", [b"a,b\n1\n", b"a,b\n1,2,3\n", b'a,b\n"1,2\n', b"a,b\n\xff,2\n"])
def test_rows_that_do_not_fit_are_refused(data):
    with pytest.raises(MalformedInput):
        read(Rows(), data)


def test_rows_of_parquet():
    sink = io.BytesIO()
    parquet.write_table(pa.table({"x": range(100), "y": [str(n) for n in range(100)]}), sink, row_group_size=30)
    data = sink.getvalue()
    assert len(ParquetRows().parts("file", len(data), lambda: io.BytesIO(data))) == 4
    assert [row["x"] for row in read(ParquetRows(), data)] == list(range(100))
    assert [row["x"] for row in read(ParquetRows(), data, resume=7)] == list(range(100))
    assert read(ParquetRows(("y",)), data)[0] == {"y": "0"}
    with pytest.raises(MalformedInput, match="not a Parquet file"):
        read(ParquetRows(), b"PAR1" + bytes(100) + b"PAR1")


def test_whole_files_are_records_also_empty_ones():
    assert read(Whole(), b"abc") == [{"path": "file", "data": b"abc"}]
    assert read(Whole(), b"") == [{"path": "file", "data": b""}]
    part = Part("file", 0, 3)
    assert list(Whole().records(io.BytesIO(b"abc"), part, 1)) == []


def test_what_is_too_large_or_cut_off_is_refused():
    endless = io.BytesIO(b"x" * (formats.MAX_RECORD + 2))
    with pytest.raises(MalformedInput, match="longer than"):
        list(Lines().records(endless, Part("file", 0, 10), 0))
    with pytest.raises(MalformedInput, match="is no record"):
        list(Whole().records(io.BytesIO(), Part("file", 0, formats.MAX_RECORD + 1), 0))
    with pytest.raises(MalformedInput, match="whole number"):
        read(Fixed(7), b"x" * 15)
    with pytest.raises(MalformedInput, match="inside a record"):
        list(Fixed(7).records(io.BytesIO(b"x" * 10), Part("file", 0, 14), 0))
    with pytest.raises(UsageError):
        Fixed(0)


def test_formats_have_names():
    assert named("lines") == Lines()
    assert named(Fixed(3)) == Fixed(3)
    with pytest.raises(UsageError, match="csv, files, jsonl"):
        named("pickle")
