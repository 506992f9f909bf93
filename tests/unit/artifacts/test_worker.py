"""Worker processes: the real ones, on a real folder."""

import os
import random
import signal
import sys
from contextlib import suppress
from threading import Event, Thread

import pytest

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.chunk import HEADER_SIZE, parse_header
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody, DatasetId, DatasetName, NewSeal
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.resuming import is_of, seal_files
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.verifying import verify
from ringfence.artifacts.worker import Workers
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.testing.artifacts import MemoryFolder

ACME, NAME = Tenant("acme"), DatasetName("claims")
NEW = NewSeal(DatasetId("a" * 32), 1, 2**16)
KEYRING = FileKeyring(bytes(32), Custody.EXTERNAL)


def source(tmp_path, files=9):
    for number in range(files):
        path = tmp_path / "source" / str(number % 3) / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * (number * 30_000))
    return PlainFolder(tmp_path / "source")


def sealed(tmp_path, files, crew, keep=lambda _work: True, new=NEW):
    plans = []
    with Home(tmp_path).working(ACME, {}, keep) as work:
        planned = lambda plan: plans.append(plan) or (lambda _size: None)  # noqa: E731
        seal = seal_files(NAME, files, work, new, KEYRING, os.urandom, crew, planned)
        work.publish(NEW.dataset, 1)
        work.settle(None)
    return seal, plans[0]


def plain(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(tmp_path, seal):
    digest, out = Digest.of(print_seal(seal)), MemoryFolder()
    with Home(tmp_path).vault(NEW.dataset, 1) as vault:
        assert verify(vault, digest, 1, KEYRING).failures == ()
        with open_dataset(vault, digest, 1, KEYRING) as dataset:
            extract(dataset, out)
    assert out.files == plain(tmp_path / "source")


@pytest.mark.parametrize("count", [1, 3])
def test_several_processes_seal_what_one_would(tmp_path, count):
    seal, plan = sealed(tmp_path, source(tmp_path), Workers(count, worth_it=0))
    assert (seal.objects, plan.files, plan.finished) == (9, 9, 0)
    check(tmp_path, seal)


def test_one_file_is_sealed_by_a_worker_too(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "one").write_bytes(b"1" * 70_000)
    (tmp_path / "source" / "two").write_bytes(b"2")
    seal, _ = sealed(tmp_path, PlainFolder(tmp_path / "source" / "one"), Workers(2, worth_it=0))
    assert seal.objects == 1


def test_an_error_of_a_worker_is_the_parents_and_what_was_finished_stays(tmp_path):
    files = source(tmp_path)
    gone = tmp_path / "source" / "0" / "0.bin"

    class Vanishing(PlainFolder):
        def listed(self):
            yield from list(super().listed())
            gone.unlink()  # after it was listed, before a worker opens it

    with pytest.raises(UsageError, match=r"0/0\.bin is missing"):
        sealed(tmp_path, Vanishing(files.path), Workers(2, worth_it=0))
    (unfinished,) = (tmp_path / "datasets" / ".staging").glob("*/journal")
    before = {path.name for path in (unfinished.parent / "objects").iterdir()}
    seal, plan = sealed(tmp_path, files, Workers(2, worth_it=0))
    assert plan.finished > 0
    assert len(before & {path.name for path in (tmp_path / "datasets").rglob("objects/*")}) == plan.finished
    check(tmp_path, seal)


def test_a_worker_that_ends_is_named_and_the_next_seal_goes_on(tmp_path):
    files = source(tmp_path)
    with pytest.raises(Unavailable, match="worker process ended"):
        sealed(tmp_path, files, Workers(2, worth_it=0, program=("/bin/false",)))
    seal, _ = sealed(tmp_path, files, Workers(2, worth_it=0))
    check(tmp_path, seal)


def test_a_full_disk_is_one_sentence_and_what_was_sealed_stays(tmp_path):
    """A limit on the size of files stands for the disk: the workers inherit it."""
    import resource

    files = source(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(Unavailable, match="the disk is full"):
            sealed(tmp_path, files, Workers(2, worth_it=0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    seal, _ = sealed(tmp_path, files, Workers(2, worth_it=0))
    check(tmp_path, seal)


LARGE = NewSeal(NEW.dataset, 1, NEW.chunk_size, large=10 * 2**16)
# A worker that stops for good once nine chunks of its file are there.
STOPPING = """
import os, pathlib, signal, sys
import ringfence.artifacts.large as large
chunk_hash, told, count = large.chunk_hash, pathlib.Path(sys.argv.pop(1)), 0

def counted(sealed):
    global count
    count += 1
    if count == 9:
        (told / str(os.getpid())).touch()
        signal.pause()
    return chunk_hash(sealed)

large.chunk_hash = counted
import ringfence.artifacts.worker as worker
worker.main()
"""


def large_source(tmp_path):
    (tmp_path / "source").mkdir()
    for name in ("one", "two"):
        (tmp_path / "source" / name).write_bytes(random.Random(name).randbytes(20 * 2**16 + 7))  # noqa: S311 - content
    return PlainFolder(tmp_path / "source")


def test_a_worker_that_is_killed_inside_a_large_file_is_gone_on_with_there(tmp_path):
    """kill -9 in the middle of a file; its parent ends the other one. What was begun is what is sealed."""
    files, pids = large_source(tmp_path), tmp_path / "pids"
    pids.mkdir()
    program = (sys.executable, "-c", STOPPING, str(pids))
    outcome = []

    def run():
        try:
            sealed(tmp_path, files, Workers(2, worth_it=0, program=program), new=LARGE)
        except RingfenceError as error:
            outcome.append(error)

    thread = Thread(target=run)
    thread.start()
    while not (stopped := [int(path.name) for path in pids.iterdir()]):
        assert thread.is_alive()
        Event().wait(0.01)
    os.kill(stopped[0], signal.SIGKILL)
    thread.join()
    (error,) = outcome
    assert "worker process ended" in str(error)
    (staged,) = (path.parent for path in (tmp_path / "datasets" / ".staging").glob("*/journal"))
    begun = [path.read_bytes() for path in (staged / "partial").iterdir()]
    assert max(map(len, begun)) >= 9 * (2**16 + 16)
    before = {parse_header(data[:HEADER_SIZE]).object for data in begun if data}  # the other one may have got nowhere
    seal, plan = sealed(tmp_path, files, Workers(2, worth_it=0), new=LARGE)
    assert plan.begun == len(begun)
    assert before <= {path.name for path in (tmp_path / "datasets").rglob("objects/*")}
    check(tmp_path, seal)


def test_a_full_disk_inside_the_only_file_leaves_it_to_be_gone_on_with(tmp_path):
    """A limit on the size of files stands for the disk. With nothing finished, all of it used to be removed."""
    import resource

    files = large_source(tmp_path)
    (tmp_path / "source" / "two").unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(Unavailable, match="the disk is full"):
            sealed(tmp_path, files, Workers(1), new=LARGE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    (begun,) = (tmp_path / "datasets" / ".staging").glob("*/partial/*")
    assert begun.stat().st_size == 500_000
    identifier = parse_header(begun.read_bytes()[:HEADER_SIZE]).object
    seal, plan = sealed(tmp_path, files, Workers(1), new=LARGE)
    assert plan.begun == 1
    assert (tmp_path / "datasets" / NEW.dataset / "1" / "objects" / identifier).exists()
    check(tmp_path, seal)


def test_how_many_workers():
    for count in (0, 65, -1):
        with pytest.raises(UsageError, match="from 1 to 64"):
            Workers(count)


def test_an_unfinished_seal_of_somebody_else_is_left_alone(tmp_path):
    files = source(tmp_path)

    def stop(*_given):
        raise Unavailable("stopped")

    def some(*given):
        crew = Workers(1)(*given)
        yield next(crew)
        stop()

    with pytest.raises(RingfenceError):
        sealed(tmp_path, files, some)
    (journal,) = (tmp_path / "datasets" / ".staging").glob("*/journal")
    with Home(tmp_path).working(Tenant("other"), {}, lambda _work: None):
        assert journal.exists()
    with Home(tmp_path).working(ACME, {}, lambda _work: False):
        assert journal.exists()
    with Home(tmp_path).working(ACME, {NEW.dataset: 1}, lambda work: is_of(work, KEYRING, None)):
        assert not journal.exists()  # this epoch is recorded: it is of no use any more


def interrupted(tmp_path):
    files = source(tmp_path)

    def some(*given):
        crew = Workers(1)(*given)
        yield next(crew)
        yield next(crew)
        raise Unavailable("stopped")

    with pytest.raises(Unavailable):
        sealed(tmp_path, files, some)
    (journal,) = (tmp_path / "datasets" / ".staging").glob("*/journal")
    return files, journal.parent


@pytest.mark.parametrize("name", ["objects", "chunks"])
def test_a_planted_link_leads_nobody_to_remove_files_elsewhere(tmp_path, name):
    files, folder = interrupted(tmp_path)
    precious = tmp_path / "precious"
    (folder / name).rename(tmp_path / "away")
    precious.mkdir()
    (precious / "thesis").write_bytes(b"years")
    (folder / name).symlink_to(precious)
    for _ in range(2):  # whether or not the first one gives up: nothing outside is touched, and a seal comes through
        with suppress(UsageError):
            check(tmp_path, sealed(tmp_path, files, Workers(1))[0])
            break
    else:
        pytest.fail("no seal comes through any more")
    assert (precious / "thesis").read_bytes() == b"years"


def test_what_was_planted_in_an_unfinished_seal_is_not_published(tmp_path):
    files, folder = interrupted(tmp_path)
    (folder / "objects" / "sub").mkdir()
    (folder / "objects" / "sub" / "x").write_bytes(b"x")
    (folder / "chunks" / "y").symlink_to("/etc/passwd")
    (folder / "extra").mkdir()
    seal, plan = sealed(tmp_path, files, Workers(1))
    assert plan.finished == 2
    check(tmp_path, seal)


@pytest.mark.parametrize("plant", ["link to a folder", "binary mark", "marked as a folder", "broken link"])
def test_no_planted_thing_in_staging_keeps_others_from_sealing(tmp_path, plant):
    files, folder = interrupted(tmp_path)
    staging = folder.parent
    match plant:
        case "link to a folder":
            (staging / "0").symlink_to(tmp_path / "source")
            (tmp_path / "source" / "journal").write_bytes(b"")
        case "binary mark":
            other = tmp_path / "datasets" / ("b" * 32) / "1"
            other.mkdir(parents=True)
            for place in (other, folder):
                (place / "pending").write_bytes(bytes(range(128, 256)))
        case "marked as a folder":
            (folder / "pending").unlink()
            (folder / "pending").mkdir()
            (tmp_path / "datasets" / ("b" * 32) / "1" / "pending").mkdir(parents=True)
        case "broken link":
            (staging / "0").symlink_to("nowhere")
    seal, _ = sealed(tmp_path, files, Workers(1))
    check(tmp_path, seal)


def test_a_worker_shows_its_key_to_nobody(tmp_path):
    """Not in its arguments, not in its environment, and to no debugger; it inherits the folder and its pipes alone."""
    program = tmp_path / "look.py"
    program.write_text(
        "import os, pathlib, ringfence.artifacts.worker as worker\n"
        "def done(self, task):\n"
        "    own = pathlib.Path('/proc/self')\n"
        "    import ctypes\n"
        "    shown = str(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)).encode()\n"
        "    kinds = sorted(os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in os.listdir('/proc/self/fd')"
        " if os.path.exists(f'/proc/self/fd/{n}') and int(n) > 2)\n"
        f"    pathlib.Path({str(tmp_path)!r}, 'seen').write_bytes(shown + b'|' + own.joinpath('cmdline').read_bytes()"
        " + b'|' + '\\n'.join(kinds).encode())\n"
        "    raise SystemExit(3)\n"
        "worker.FileSealer.do = done\n"
        "worker.main()\n"
    )
    with pytest.raises(Unavailable, match="worker process ended"):
        sealed(tmp_path, source(tmp_path), Workers(2, worth_it=0, program=(sys.executable, str(program))))
    dumpable, command, kinds = (tmp_path / "seen").read_bytes().split(b"|")
    assert dumpable == b"0"
    assert command.split(b"\0")[1:] == [str(program).encode(), str(os.getpid()).encode(), b""]
    (place,) = [kind for kind in kinds.split(b"\n") if b"/proc" not in kind]
    assert b".staging" in place
