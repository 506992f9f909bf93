"""Parquet and Arrow, written by pyarrow itself; damaged ones are our error."""

import io
from contextlib import suppress

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import columnar
from ringfence.kernel.errors import MalformedInput

TABLE = pa.table({"a": [1, 2, None], "b": ["x", "y", "z"], "n": [{"c": 1}, {"c": 2}, None], "l": [[1], [], [2, 3]]})


def parquet():
    out = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, out)
    return out.getvalue()


def stream(kind=pa.ipc.new_file):
    out = io.BytesIO()
    with kind(out, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return out.getvalue()


def feather():
    out = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (columnar.parquet, parquet()),
        (columnar.arrow, stream()),
        (columnar.arrow, stream(pa.ipc.new_stream)),
        (columnar.arrow, feather()),
    ],
)
def test_rows_come_out_as_cells(read, data):
    found = list(read(io.BytesIO(data)))
    assert [one.number for one in found] == [1, 2, 3]
    assert dict(found[1].cells) == {"a": 2, "b": "y", "n.c": 2, "l": ""}
    assert dict(found[2].cells) == {"a": None, "b": "z", "l": "2\n3"}


def test_a_row_group_that_declares_too_much_is_refused():
    data = parquet()
    limit, columnar.MAX_GROUP = columnar.MAX_GROUP, 10
    try:
        with pytest.raises(MalformedInput, match="row group"):
            list(columnar.parquet(io.BytesIO(data)))
        with pytest.raises(MalformedInput, match="batch"):
            list(columnar.arrow(io.BytesIO(stream())))
    finally:
        columnar.MAX_GROUP = limit


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_rows_or_our_error(place, change):
    for read, data in ((columnar.parquet, parquet()), (columnar.arrow, stream())):
        changed = bytearray(data)
        changed[place % len(data)] ^= change
        with suppress(MalformedInput):
            list(read(io.BytesIO(bytes(changed))))
