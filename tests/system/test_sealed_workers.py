"""Worker processes that read a sealed dataset of a real home: each opens for itself, and that is recorded."""

import json
import os
import subprocess
import sys

from ringfence.testing.program import called

READ = """
import multiprocessing
from ringfence.artifacts.samples.plan import Share
from ringfence.artifacts.samples.stream import Place, SampleStream
from ringfence.testing.sealed import send_all

if __name__ == "__main__":
    context, found = multiprocessing.get_context("spawn"), []
    for worker in range(2):
        place = Place("sealed://claims", {"purpose_code": "training"})
        ours, theirs = context.Pipe()
        stream = SampleStream(place, share=Share(worker=worker, workers=2))
        process = context.Process(target=send_all, args=(theirs, stream))
        process.start()
        theirs.close()
        found += ours.recv()
        process.join()
    print(sorted(found) == sorted(b"%d" % number for number in range(1000)))
"""


def test_workers_that_are_spawned_read_everything_once_and_each_opening_is_recorded(tmp_path):
    environment = os.environ | {"RINGFENCE_HOME": str(tmp_path / "home")}
    (tmp_path / "src").mkdir()
    for name in range(4):
        lines = "".join(f"{number}\n" for number in range(name * 250, name * 250 + 250))
        (tmp_path / "src" / f"{name}.txt").write_text(lines)
    (tmp_path / "read.py").write_text(READ)
    for arguments in (("init",), ("dataset", "seal", str(tmp_path / "src"), "claims")):
        done = called(environment, *arguments)
        assert done.returncode == 0, done.stderr
    command = [sys.executable, str(tmp_path / "read.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "True\n", done.stderr
    shown = json.loads(called(environment, "ledger", "list", "--json").stdout)
    openings = [entry for entry in shown["statements"] if entry["predicate"] == "dataset.opened"]
    assert len(openings) == 2
