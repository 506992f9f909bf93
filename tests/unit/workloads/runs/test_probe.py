import subprocess
import sys
from importlib import metadata

from ringfence.workloads.runs import probe, surveying
from ringfence.workloads.runs.remote import source


def test_it_describes_the_python_that_runs_it():
    done = subprocess.run([sys.executable, "-I", "-c", source("probe")], capture_output=True, check=True, timeout=60)
    lock, machine = surveying.read(done.stdout, source="probe")
    assert lock.python == ".".join(map(str, sys.version_info[:3]))
    pytest_here = next(package for package in lock.packages if package.startswith("pytest=="))
    assert pytest_here.startswith(f"pytest=={metadata.version('pytest')} sha256:")
    assert machine.cores >= 1
    assert machine.memory_mib > 0


def test_the_first_of_a_name_counts_and_all_are_sorted():
    found = probe.packages()
    names = [package.partition("==")[0] for package in found]
    assert names == sorted(set(names), key=names.index)
    assert found == sorted(found)
