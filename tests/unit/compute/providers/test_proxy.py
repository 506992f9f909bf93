import subprocess
import sys

from ringfence.compute.providers import proxy


def test_it_needs_nothing_but_the_standard_library(tmp_path):
    command = [sys.executable, "-I", "-S", proxy.__file__, str(tmp_path / "absent"), "n-00000001", "control"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 4
    assert "helper" in done.stderr
    assert "Traceback" not in done.stderr
