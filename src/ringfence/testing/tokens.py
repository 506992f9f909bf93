"""A software token for tests: SoftHSM in a folder of its own. It is no hardware, and is never counted as such."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.testing.programs import surroundings, tool

LABEL, PIN = "ring", "5678"


@dataclass(frozen=True, slots=True)
class SoftToken:
    """Where the token is, and what opens it."""

    module: Path
    configuration: Path
    pin_file: Path
    label: str = LABEL


@contextmanager
def soft_token(folder: Path) -> Iterator[SoftToken]:
    """Make a token; skip the test where SoftHSM is not there.

    The module reads its configuration once per process: one folder for all tests of a run.
    """
    module, utility = tool("libsofthsm2.so"), tool("softhsm2-util")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    pin_file = folder / "pin"
    pin_file.write_text(PIN + "\n")
    pin_file.chmod(0o600)
    argv = [
        str(utility),
        "--module",
        str(module),
        "--init-token",
        "--free",
        "--label",
        LABEL,
        "--so-pin",
        "123456",
        "--pin",
        PIN,
    ]
    known = surroundings({"SOFTHSM2_CONF": str(configuration)})
    subprocess.run(argv, env=known, check=True, capture_output=True, timeout=60)  # noqa: S603 -- no shell
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        yield SoftToken(module, configuration, pin_file)
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
