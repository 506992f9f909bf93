"""What people read with, over `sealed://` and from plain files, the same bytes in one run; and training samples."""

import io
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from measurement import Row, timed
from pyarrow import parquet

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.filesystem import SealedFileSystem
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName
from ringfence.artifacts.samples.plan import Share
from ringfence.artifacts.samples.stream import Order, Place, SampleStream
from ringfence.testing.artifacts import Counting, MemoryControl, MemoryKeyring

ROWS, RUNS, CHUNK = 400_000, 7, 2**20


def filled(folder: Path) -> None:
    """Write a table of CSV, the same as Parquet, and lines of JSON: about 20 MiB each."""
    draws = np.random.default_rng(1)
    frame = pd.DataFrame({"id": range(ROWS), "value": draws.normal(size=ROWS), "code": draws.integers(0, 10**9, ROWS)})
    folder.mkdir()
    frame.to_csv(folder / "t.csv", index=False)
    parquet.write_table(pa.Table.from_pandas(frame), folder / "t.parquet", compression="none", use_dictionary=False)
    with (folder / "t.jsonl").open("w") as lines:
        lines.writelines(json.dumps({"id": number, "text": "x" * 30}) + "\n" for number in range(ROWS))


def sealed(home: Path) -> dict[str, Any]:
    """Seal the folder; return the options of a file system that reads it."""
    control, keyring = MemoryControl(), MemoryKeyring()
    access = RecordedAccess(control)
    work = Workbench(control, access, Home(home), Counting(b"bench"))
    work.seal(SealOrder(DatasetName("bench"), CHUNK), PlainFolder(home / "plain"), keyring)
    return {"home": str(home), "access": access, "keyring": lambda: keyring}


def both(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Run each in turn; return CPU milliseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        times[0].append(timed(ours, clock=time.process_time))
        times[1].append(timed(theirs, clock=time.process_time))
    return times


def samples(url: str, options: dict[str, Any], share: Share | None = None) -> int:
    """Read every sample."""
    return sum(1 for _ in SampleStream(Place(url, options), "lines", Order(1), share=share))


def parallel(url: str, options: dict[str, Any], workers: int) -> None:
    """Read everything in forked workers, each what is its own."""
    context = multiprocessing.get_context("fork")
    shares = [Share(worker=number, workers=workers) for number in range(workers)]
    started = [context.Process(target=samples, args=(url, options, share)) for share in shares]
    for process in started:
        process.start()
    for process in started:
        process.join()
        assert process.exitcode == 0


def measure() -> list[Row]:
    """Run everybody in turn, so that all of them see the same machine."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        filled(home / "plain")
        options = sealed(home)
        plain = home / "plain"

        def filesystem() -> SealedFileSystem:
            return SealedFileSystem(**options)

        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "pandas reads CSV": (
                lambda: pd.read_csv("sealed://bench/t.csv", storage_options=options),
                lambda: pd.read_csv(plain / "t.csv"),
            ),
            "pyarrow reads Parquet": (
                lambda: parquet.read_table("bench/t.parquet", filesystem=filesystem(), use_threads=False),
                lambda: parquet.read_table(plain / "t.parquet", use_threads=False),
            ),
            "bytes of a file through fsspec": (
                lambda: filesystem().cat("bench/t.parquet"),
                (plain / "t.parquet").read_bytes,
            ),
            "training samples, lines": (
                lambda: samples("sealed://bench/t.jsonl", options),
                lambda: samples(f"file://{plain}/t.jsonl", {}),
            ),
            "lines of a text file": (
                lambda: sum(1 for _ in io.TextIOWrapper(filesystem().open("bench/t.jsonl"))),
                lambda: sum(1 for _ in (plain / "t.jsonl").open()),
            ),
        }
        rows = []
        for what, (ours, theirs) in pairs.items():
            found = both(ours, theirs)
            rows.append(Row(f"sealed: {what}", "printed", found[0], "ms CPU", "plain files", found[1]))
        workers = {
            count: [timed(lambda count=count: parallel("sealed://bench/t.jsonl", options, count)) for _ in range(RUNS)]
            for count in (2, 1)
        }
        rows.append(Row("sealed: samples by 2 workers", "printed", workers[2], "ms", "1 worker", workers[1]))
        return rows
