"""Benchmarks run seldom: that each can at least begin is tested, since what they measure moves on without them."""

import subprocess
import sys

BEGIN = """
import importlib, sys
missing = [name for name in sys.argv[1:] if not callable(getattr(importlib.import_module(name), "measure", None))]
sys.exit(f"no measure() in {missing}" if missing else 0)
"""


def begun(root, *names):
    command = [sys.executable, "-c", BEGIN, *names]
    return subprocess.run(command, cwd=root / "benchmarks", capture_output=True, text=True, timeout=120, check=False)


def test_every_benchmark_can_begin(root):
    names = {path.stem for path in (root / "benchmarks").glob("*.py")} - {"run", "measurement", "relay"}
    assert len(names) > 5
    done = begun(root, *sorted(names))
    assert done.returncode == 0, done.stderr


def test_one_that_cannot_is_seen(root):
    assert begun(root, "nowhere").returncode != 0
    assert "no measure()" in begun(root, "measurement").stderr
