"""The same attack with the disk full: the cut does not wait for the ledger, and the gap shows afterwards.

It plays on a file system in memory, in a mount namespace of its own, so that only its own disk is full.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import PortState
from ringfence.frontends import in_process
from ringfence.kernel.errors import RingfenceError, VerificationFailed
from ringfence.tour.lab import Stranger, installation, until
from ringfence.tour.place import clear, open_to_passwords
from ringfence.tour.stage import Stage, prepare

SIZE = 192  # MiB of the disk; the reservations of journal, fabric and logs are made in it
NODE, INTRUDER, GUESSES = "lab", "203.0.113.9", 4
LIMIT = 300  # seconds for the whole of it


def play(stage: Stage) -> dict[str, Any]:
    """Play it in a child that mounts its own disk; return what it saw."""
    with tempfile.TemporaryDirectory(prefix="ringfence-full-") as folder:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        unshare = str(components.find("unshare").path)
        command = [
            unshare,
            *user,
            "--mount",
            "--",
            sys.executable,
            "-I",
            "-m",
            "ringfence",
            "tour",
            "--disk-full",
            folder,
        ]
        stage.show("the same on a disk of its own, which is full")
        done = subprocess.run(  # noqa: S603 - ours
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT
        )
    return seen(done.stdout, done.stderr)


def seen(stdout: bytes, stderr: bytes) -> dict[str, Any]:
    """Return what the child saw, or why it could not play; raise `VerificationFailed` where a promise did not hold."""
    try:
        found: dict[str, Any] = json.loads(stdout)
    except ValueError:
        last = stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        return {"not played": last[0][:200]}
    if "failed" in found:
        raise VerificationFailed(f"with the disk full: {found['failed']}")
    return found


def main(folder: Path) -> None:
    """Mount a disk at a folder, play, and print what was seen as JSON."""
    mount = "/usr/bin/mount"
    options = f"size={SIZE}m,mode=0700"
    subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, timeout=30)  # noqa: S603
    try:
        found = _played(folder / "home")
    except (RingfenceError, OSError, subprocess.SubprocessError) as error:
        found = {"failed": str(error)}
    sys.stdout.write(json.dumps(found))


def _played(home: Path) -> dict[str, Any]:
    stage = prepare(home, in_process.run_verb, lambda _: None)
    password = secrets.token_urlsafe(9)
    with ExitStack() as scene:
        fabric = Fabric((home / "fabric").absolute())
        scene.callback(fabric.close, end=True)  # the last act: whoever asks the helper after its end starts it anew
        scene.enter_context(installation(home))
        node = open_to_passwords(stage, NODE, password)
        intruder = scene.enter_context(Stranger(fabric, "intruder", INTRUDER, stage.work))
        with _filled(home):
            for _ in range(GUESSES):
                intruder.log_in(node["network_address"], secrets.token_hex(4), "true", seconds=8)
            began = time.monotonic()
            session = threading.Thread(target=intruder.log_in, args=(node["network_address"], password, "sleep 30"))
            session.start()
            until(lambda: fabric.nodes().get(node["node"]) == PortState.QUARANTINED, "the cut with a full disk")
            seconds = round(time.monotonic() - began, 2)
            session.join()
        late = until(lambda: _late(stage), "the statement of the cut, once there is room again")
        until(lambda: stage.expect("node", "show", NODE)["containment"] == "quarantined", "the row of the cut")
        clear(stage, NODE)
    return {
        "cut off": f"{seconds} s after the log-in began",
        "afterwards": f"{', '.join(late)} are in the log, marked late",
    }


@contextmanager
def _filled(folder: Path, block: bytes = bytes(2**16)) -> Iterator[None]:
    """Fill the disk to the last block while the block runs."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(block):
                pass
        except OSError:
            pass  # full, which was wanted
    try:
        yield
    finally:
        ballast.unlink()


def _late(stage: Stage) -> list[str]:
    found = stage.quietly("ledger", "list", "--limit", "200")["statements"]
    late = [one["predicate"] for one in found if one.get("late")]
    return sorted(set(late)) if "quarantine.confirmed" in late else []
