"""Programs that people read data with, over `sealed://`: as from plain files, and nothing of a damaged chunk."""

import io
from pathlib import Path

import datasets
import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pytest
import zarr
from pyarrow import parquet

from ringfence.kernel.errors import Refused
from ringfence.testing.sealed import SealedWorld

ROWS = 40_000
TABLE = pa.table({"id": range(ROWS), "text": [f"row {number}" for number in range(ROWS)]})
ARRAY = np.arange(120_000, dtype="int64").reshape(300, 400)


def csv():
    sink = io.BytesIO()
    pyarrow.csv.write_csv(TABLE, sink)
    return sink.getvalue()


def columns():
    sink = io.BytesIO()
    parquet.write_table(TABLE, sink, row_group_size=10_000, compression="none", use_dictionary=False)
    return sink.getvalue()


def chunked(folder):
    zarr.create_array(store=str(folder / "zarr"), data=ARRAY, chunks=(100, 400), compressors=None)
    return {f"a.zarr/{path.relative_to(folder / 'zarr')}": path.read_bytes() for path in files_below(folder / "zarr")}


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    return SealedWorld(folder, {"t.csv": csv(), "t.parquet": columns(), **chunked(folder)})


def bytes_read():
    """Return how many bytes this process has read so far, from files and all else."""
    (line,) = [line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar")]
    return int(line.split()[1])


def with_pandas(world):
    return pd.read_csv("sealed://claims/t.csv", storage_options=world.options)["id"].sum()


def with_pandas_parquet(world):
    return pd.read_parquet("sealed://claims/t.parquet", storage_options=world.options)["id"].sum()


def with_pyarrow(world):
    table = parquet.read_table("claims/t.parquet", filesystem=world.filesystem())
    return pa.compute.sum(table["id"]).as_py()


def with_an_arrow_dataset(world):
    whole = pyarrow.dataset.dataset("claims/t.csv", format="csv", filesystem=world.filesystem())
    return pa.compute.sum(whole.to_table(filter=pyarrow.dataset.field("id") >= 0)["id"]).as_py()


def with_polars(world):
    with world.filesystem().open("claims/t.parquet") as file:
        return pl.read_parquet(file)["id"].sum()


def with_lazy_polars(world):
    whole = pyarrow.dataset.dataset("claims/t.parquet", filesystem=world.filesystem())
    return pl.scan_pyarrow_dataset(whole).select(pl.col("id").sum()).collect().item()


def with_duckdb(world):
    import duckdb  # prints what it leaks when its process ends: in one that used it

    with duckdb.connect() as connection:
        connection.register_filesystem(world.filesystem())
        return connection.sql("SELECT sum(id) FROM read_parquet('sealed://claims/t.parquet')").fetchall()[0][0]


def with_duckdb_csv(world):
    import duckdb

    with duckdb.connect() as connection:
        connection.register_filesystem(world.filesystem())
        return connection.sql("SELECT sum(id) FROM read_csv('sealed://claims/*.csv')").fetchall()[0][0]


def with_zarr(world):
    array = zarr.open_array("sealed://claims/a.zarr", mode="r", storage_options=world.options)
    return int(array[:].sum())


def with_hugging_face(world):
    options = {"streaming": True, "storage_options": world.options}
    rows = datasets.load_dataset("csv", data_files="sealed://claims/t.csv", split="train", **options)
    return sum(row["id"] for row in rows)


SUM = sum(range(ROWS))
READERS = [
    with_pandas, with_pandas_parquet, with_pyarrow, with_an_arrow_dataset, with_polars, with_lazy_polars, with_duckdb,
    with_duckdb_csv, with_hugging_face,
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_the_same_as_from_plain_files(world, reader):
    before = len(world.openings)
    assert reader(world) == SUM
    assert world.openings[before:] == ["read"] * (len(world.openings) - before)
    assert len(world.openings) > before


def test_zarr_reads_what_it_asks_for(world):
    assert with_zarr(world) == int(ARRAY.sum())


@pytest.mark.parametrize("reader", [*READERS, with_zarr])
def test_a_damaged_dataset_yields_no_result(tmp_path, reader):
    world = SealedWorld(tmp_path, {"t.csv": csv(), "t.parquet": columns(), **chunked(tmp_path)})
    for path in world.objects():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        if len(data) > 65536:  # not the manifest
            path.write_bytes(data)
    # Polars panics where a file that it was given cannot be read, which is no Exception.
    with pytest.raises(BaseException, match="its tag does not match"):
        reader(world)


def test_only_the_chunks_that_are_asked_for_are_read(tmp_path):
    world = SealedWorld(tmp_path, {"t.csv": csv()})
    with world.filesystem().open("claims/t.csv") as file:
        size = world.objects()[-1].stat().st_size
        before = bytes_read()
        file.seek(-10, io.SEEK_END)
        assert file.read() == csv()[-10:]
        assert bytes_read() - before < 2 * 65536 < size / 4


@pytest.mark.parametrize("caching", ["simplecache", "filecache", "blockcache"])
def test_no_plain_copy_is_written_unasked(world, tmp_path, caching):
    options = {"sealed": world.options, caching: {"cache_storage": str(tmp_path / "plain")}}
    # The last cannot work with a file that does not tell its size, which saves us from what it keeps.
    expected = AttributeError if caching == "blockcache" else Refused
    with pytest.raises(expected), fsspec.open(f"{caching}::sealed://claims/t.csv", **options) as file:
        file.read()
    assert not any(b"row 1" in path.read_bytes() for path in files_below(tmp_path))


def test_hugging_face_keeps_no_copy_either(world, tmp_path):
    with pytest.raises(Exception, match="a plain copy of"):
        datasets.load_dataset(
            "csv", data_files="sealed://claims/t.csv", cache_dir=str(tmp_path / "kept"), storage_options=world.options
        )
    assert not any(b"row 1" in path.read_bytes() for path in files_below(tmp_path))


def test_a_plain_copy_is_written_where_it_is_wanted(world, tmp_path):
    world.filesystem(plain_copies=True).get("claims/t.csv", str(tmp_path / "t.csv"))
    assert (tmp_path / "t.csv").read_bytes() == csv()
