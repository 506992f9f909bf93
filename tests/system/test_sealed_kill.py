"""kill -9 at any point of a seal leaves no dataset or a complete one, and the next seal cleans up."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

from ringfence.artifacts.blobs import Home
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant

ROUNDS = 20 if os.environ.get("RINGFENCE_SOAK") == "1" else 4
PROGRAM = """
import os, sys
from pathlib import Path
from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.testing.artifacts import MemoryKeyring
home = Path(sys.argv[1])
print("ready", flush=True)
for round in range(1000):
    with Home(home).staging("acme", {}) as staged:
        dataset = os.urandom(16).hex()
        seal_tree(PlainFolder(home / "source"), staged, NewSeal(dataset, 1, 65536), MemoryKeyring(), os.urandom)
        staged.publish(dataset, 1)
        staged.settle(b"envelope")
"""


def test_kill_9_leaves_nothing_or_everything(tmp_path):
    (tmp_path / "source").mkdir()
    for number in range(5):
        (tmp_path / "source" / str(number)).write_bytes(os.urandom(150_000))
    chance = random.Random(7)  # noqa: S311 - when to kill, not a secret
    for _ in range(ROUNDS):
        killed_while_sealing(tmp_path, chance.uniform(0.01, 0.35))
        complete = check_everything_published(tmp_path / "datasets")
        with Home(tmp_path).staging(Tenant("acme"), {}) as staged:
            assert staging(tmp_path) == [staged.path]
        assert staging(tmp_path) == []
        assert check_everything_published(tmp_path / "datasets") >= complete - 1  # one may have been unrecorded
        assert not list(tmp_path.rglob("pending"))
        shutil.rmtree(tmp_path / "datasets")


def killed_while_sealing(home, seconds):
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(home)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)


def staging(home):
    return [path for path in (home / "datasets" / ".staging").iterdir() if path.is_dir()]


def check_everything_published(root):
    seals = list(root.glob("[0-9a-f]*/1"))
    for folder in seals:
        digest = Digest.of((folder / "seal.json").read_bytes())
        with Home(root.parent).vault(folder.parent.name, 1) as vault:
            assert verify(vault, digest, 1).passed
    return len(seals)
