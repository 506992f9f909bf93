"""Sealing by one and two workers, going on inside a large file, and what opening a large dataset takes."""

import hashlib
import json
import os
import shutil
import signal
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
ONE = 2**30  # bytes of the file that is killed and gone on with
NEVER = 2**62  # no file is that large: each is read once, and a killed seal begins it anew
RUNS = 5
KEYRING = FileKeyring(bytes(32), Custody.EXTERNAL)
DATASET = DatasetId("a" * 32)

# A process of its own: its peak and its counters are of nothing else.
READER = """
import json, sys
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
# Not `ru_maxrss`: that of a new program begins with what its parent had.
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"total": total, "read": read() - before, "peak": peak}))
"""

# Seals one file alone; killed once so many bytes have moved, of which reading first is half.
WRITER = """
import json, os, signal, sys, time
from pathlib import Path
from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.journal import Order
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import NewSeal
from ringfence.artifacts.resuming import alone, is_of, seal_files

def written():
    return int(Path("/proc/self/io").read_text().split("wchar: ")[1].split()[0])

home, source, large, end = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
keyring, new, moved = FileKeyring(bytes(32), "external"), NewSeal("a" * 32, 1, 2**20, large), 0

def planned(plan):
    return heard

def heard(size):
    global moved
    moved += size
    if moved >= end:
        os.kill(os.getpid(), signal.SIGKILL)

mine = lambda work: is_of(work, keyring, Order("bench", "a" * 32, 1, 2**20))
start, before, cpu = time.perf_counter(), written(), time.process_time()
with Home(home).working("bench", {}, mine) as work:
    seal_files("bench", PlainFolder(source), work, new, keyring, os.urandom, alone(os.urandom), planned)
    work.publish("a" * 32, 1)
    work.settle(None)
wall, cpu = (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000
# Not `ru_maxrss`: that of a new program begins with what its parent had.
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"wall": wall, "cpu": cpu, "written": written() - before, "peak": peak}))
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


def written(home: Path, source: Path, large: int, end: int = NEVER) -> dict[str, float]:
    """Seal one file in a process of its own, or be killed in it."""
    command = [sys.executable, "-c", WRITER, str(home), str(source), str(large), str(end)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if end < NEVER:
        assert done.returncode == -signal.SIGKILL, done.stderr
        return {}
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def going_on(folder: Path) -> list[Row]:
    """Kill a seal at 80 % of the ciphertext of one large file, and go on with it; beside a new one, in turn."""
    source, home = folder / "one", folder / "home"
    with source.open("wb") as file:
        for _ in range(ONE // 2**26):
            file.write(os.urandom(2**26))
    found: dict[str, list[dict[str, float]]] = {"once": [], "anew": [], "on": []}
    for _ in range(RUNS):
        for name, large in (("once", NEVER), ("anew", ONE)):
            shutil.rmtree(home, ignore_errors=True)
            found[name].append(written(home, source, large))
        shutil.rmtree(home, ignore_errors=True)
        written(home, source, ONE, ONE // 2 + ONE * 8 // 20)
        found["on"].append(written(home, source, ONE))
    shutil.rmtree(home)
    source.unlink()

    def of(name: str, what: str) -> list[float]:
        return [one[what] for one in found[name]]

    note = f"{ONE // 2**20} MiB in one file, from the page cache to flushed disk"
    on, peak = "go on inside a large file after 80 %", "memory of sealing a large file, peak"
    share = [one / two for one, two in zip(of("on", "written"), of("anew", "written"), strict=True)]
    return [
        Row(
            "seal a large file, CPU", "printed", of("anew", "cpu"), "ms CPU", "read once", of("once", "cpu"), note=note
        ),
        Row("seal a large file", "printed", of("anew", "wall"), "ms", "read once", of("once", "wall"), note=note),
        Row(f"{on}, CPU", "printed", of("on", "cpu"), "ms CPU", "anew", of("anew", "cpu"), note=note),
        Row(on, "printed", of("on", "wall"), "ms", "anew", of("anew", "wall"), note=note),
        Row("bytes written when going on, of those anew", "<= 0.21", share, "times", limit=0.21, note=note),
        Row(peak, "< 100 MiB", of("anew", "peak") + of("on", "peak"), "MiB", limit=100, note=note),
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
    """Measure all."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if shutil.disk_usage(place).free < 2 * LARGE:
            print("opening a large dataset: not measured, the disk has too little room", file=sys.stderr)
            return [*throughput(place), *going_on(place)]
        return [*throughput(place), *going_on(place), *opening(place)]
