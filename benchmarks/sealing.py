"""Sealing by one and two workers, and what opening a large dataset takes: memory, and how often each byte is read."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measurement import Row, timed

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody, DatasetId, DatasetName, NewSeal
from ringfence.artifacts.resuming import Plan, seal_files
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.worker import Workers
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant

CHUNK = 2**20
FILES, SIZE = 16, 64 * 2**20  # sealed for the throughput
LARGE = int(os.environ.get("RINGFENCE_BENCH_GIB", "10")) * 2**30  # opened for the memory
RUNS = 5
KEYRING = FileKeyring(bytes(32), Custody.EXTERNAL)
DATASET = DatasetId("a" * 32)

# A process of its own: its peak and its counters are of nothing else.
READER = """
import json, resource, sys
from pathlib import Path
from ringfence.artifacts.blobs import Home
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.opening import open_dataset
from ringfence.kernel.digest import Digest

def read():
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

home, seal = Path(sys.argv[1]), Digest.parse(sys.argv[2])
before, total = read(), 0
with Home(home).vault("a" * 32, 1) as vault, open_dataset(vault, seal, 1, FileKeyring(bytes(32), "external")) as opened:
    for path in opened.files:
        with opened.reader(path) as reader:
            total += sum(len(part) for part in reader.chunks())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"total": total, "read": read() - before, "peak": peak}))
"""


def silent(plan: Plan) -> Callable[[int], None]:
    """Show no progress."""
    del plan
    return lambda _size: None


def seal(home: Path, source: Path, workers: int) -> Digest:
    """Seal a folder as `ringfence dataset seal` does, without stating it; return the digest of the seal file."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    new = NewSeal(DATASET, 1, CHUNK)
    with Home(home).working(Tenant("bench"), {}, lambda _: False) as work:
        made = seal_files(
            DatasetName("bench"), PlainFolder(source), work, new, KEYRING, os.urandom, Workers(workers, 0), silent
        )
        work.publish(DATASET, 1)
        work.settle(None)
    return Digest.of(print_seal(made))


def hashing(source: Path) -> Callable[[], None]:
    """Return one `hashlib.file_digest` over each file: what any seal with a digest of the plaintext takes at least."""

    def run() -> None:
        for path in sorted(source.iterdir()):
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")

    return run


def throughput(folder: Path) -> list[Row]:
    """Seal the same files by one worker and by two, in turn."""
    source = folder / "source"
    source.mkdir()
    for number in range(FILES):
        (source / str(number)).write_bytes(os.urandom(SIZE))
    times: dict[int, list[float]] = {1: [], 2: []}
    hashed: list[float] = []
    for _ in range(RUNS):
        hashed.append(timed(hashing(source)))
        for workers, found in times.items():
            found.append(timed(lambda count=workers: seal(folder / "home", source, count)))  # type: ignore[misc]
    shutil.rmtree(source)
    shutil.rmtree(folder / "home")
    note = f"{FILES * SIZE // 2**20} MiB in {FILES} files, from the page cache to flushed disk"
    return [
        Row(
            "seal, one worker, beside one SHA-256 of the files", "printed", times[1], "ms", "SHA-256", hashed, note=note
        ),
        Row("seal, two workers, beside one", "printed", times[2], "ms", "one worker", times[1], note=note),
    ]


def opening(folder: Path) -> list[Row]:
    """Open and read a large dataset in a process of its own."""
    source = folder / "large"
    source.mkdir()
    for number in range(4):  # holes: the source takes no room, what is sealed of it does
        with (source / str(number)).open("wb") as file:
            file.truncate(LARGE // 4)
    digest = seal(folder / "home", source, 2)
    stored = sum(path.stat().st_size for path in (folder / "home" / "datasets" / DATASET / "1" / "objects").iterdir())
    done = subprocess.run(
        [sys.executable, "-c", READER, folder / "home", str(digest)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["total"] == LARGE
    note = f"{LARGE // 2**30} GiB sealed in chunks of 1 MiB, read from end to end"
    return [
        Row("memory of opening a large dataset, peak", "< 200 MiB", [found["peak"]], "MiB", limit=200, note=note),
        Row("bytes read of each byte stored", "<= 1.001", [found["read"] / stored], "times", limit=1.001, note=note),
    ]


def measure() -> list[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if shutil.disk_usage(place).free < 2 * LARGE:
            print("opening a large dataset: not measured, the disk has too little room", file=sys.stderr)
            return throughput(place)
        return [*throughput(place), *opening(place)]
