import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", [(), ("directory",), ("directory", "node", "control", "more")])
def test_wrong_usage_is_told(arguments):
    done = subprocess.run(
        [sys.executable, "-I", "-m", "ringfence.fabric.connect", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.startswith("usage:")
    assert done.returncode != 0
