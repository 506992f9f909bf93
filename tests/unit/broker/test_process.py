"""The broker's process without a home says what is missing, and shows no traceback."""

import subprocess
import sys

from ringfence.kernel import digest


def test_a_home_that_is_none_is_said(tmp_path):
    command = [sys.executable, "-I", "-m", "ringfence.broker", str(tmp_path)]
    done = subprocess.run(command, input=b"{}", capture_output=True, check=False)
    assert done.returncode == 2
    assert set(digest.loads(done.stdout)) == {"because", "kind"}
    assert b"Traceback" not in done.stderr
