"""Where the firmware is that measures what it starts."""

from pathlib import Path

from ringfence import components
from ringfence.kernel.errors import Unavailable

# Its code, and the variables that each machine begins with.
FILES = ("usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd")


def firmware_files() -> tuple[Path, Path]:
    """Return the firmware's code and the variables that it begins with.

    Raises:
        Unavailable: neither a tree nor the system has both.
    """
    for root in (*components.trees(), Path("/")):
        code, variables = (root / name for name in FILES)
        if code.is_file() and variables.is_file():
            return code, variables
    raise Unavailable(
        "the firmware for measured starts is missing: run `make setup`, or install the Debian package `ovmf`"
    )
