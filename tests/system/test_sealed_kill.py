"""kill -9 or Ctrl-C at any point of a seal by several processes: the next goes on, and the end is a whole dataset."""

import os
import random
import signal
import subprocess
import sys

from ringfence.artifacts.blobs import Home
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.testing.artifacts import MemoryFolder

ROUNDS = 40 if os.environ.get("RINGFENCE_SOAK") == "1" else 2
FILES = 24
DATASET = "a" * 32
KEYRING = FileKeyring(bytes(32), Custody.EXTERNAL)
# Each line of output is a point at which it can be killed: a file sealed, the manifest, the rename, the end.
PROGRAM = """
import os, sys
from pathlib import Path
from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.journal import Order
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import Custody, NewSeal
from ringfence.artifacts.resuming import is_of, resumed, seal_files
from ringfence.artifacts.worker import Workers

def say(word):
    print(word, flush=True)

home, keyring, dataset = Path(sys.argv[1]), FileKeyring(bytes(32), Custody.EXTERNAL), "a" * 32
new = NewSeal(dataset, 1, 65536, large=200_000)
with Home(home).working("acme", {}, lambda work: is_of(work, keyring, Order("claims", dataset, 1, 65536))) as work:
    say("begun")
    def planned(plan):
        say(f"kept {plan.finished}")
        return lambda size: say("moved")
    crew = Workers(2, worth_it=0)
    seal_files("claims", PlainFolder(home / "source"), work, resumed(work, new), keyring, os.urandom, crew, planned)
    say("sealed")
    work.publish(dataset, 1)
    say("published")
    work.settle(b"envelope")
say("settled")
"""


def source(home):
    (home / "source").mkdir(parents=True)
    chance = random.Random(5)  # noqa: S311 - content, not a secret
    for number in range(FILES):
        (home / "source" / str(number)).write_bytes(chance.randbytes(chance.choice([0, 70_000, 200_000])))
    (home / "source" / "0").write_bytes(chance.randbytes(3_000_000))
    return {str(number): (home / "source" / str(number)).read_bytes() for number in range(FILES)}


def killed_after(home, lines, by):
    """Run until so many lines were said, then send a signal; return what was said."""
    command = [sys.executable, "-c", PROGRAM, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        said = [line.strip() for line in (child.stdout.readline() for _ in range(lines)) if line]
        child.send_signal(by)
        rest = child.stdout.read().split("\n")  # what it said before the signal came
    return [*said, *filter(None, rest)]


def test_kill_9_at_any_point_loses_nothing_that_was_finished(tmp_path):
    chance = random.Random(7)  # noqa: S311 - when to kill, not a secret
    for number in range(ROUNDS):
        home = tmp_path / str(number)
        expected, kept = source(home), [0]
        while True:
            said = killed_after(home, chance.randrange(2, 26), chance.choice([signal.SIGKILL, signal.SIGINT]))
            if (whole := home / "datasets" / DATASET / "1").exists() and (whole / "seal.dsse").exists():
                break  # it was recorded: its envelope is there
            kept += [int(line.split()[1]) for line in said if line.startswith("kept")]
            assert kept == sorted(kept)  # nothing that was finished is ever done again
        with Home(home).working(Tenant("acme"), {DATASET: 1}, lambda _work: None):
            pass
        assert not list(home.rglob("pending"))
        assert not list(home.rglob("journal"))
        check_whole(home, expected)
        assert [path.name for path in (home / "datasets" / ".staging").iterdir()] == [".turn"]


def check_whole(home, expected):
    digest = Digest.of((home / "datasets" / DATASET / "1" / "seal.json").read_bytes())
    folder = MemoryFolder()
    with Home(home).vault(DATASET, 1) as vault:
        assert verify(vault, digest, 1, KEYRING).failures == ()
        with open_dataset(vault, digest, 1, KEYRING) as dataset:
            extract(dataset, folder)
    assert folder.files == expected
