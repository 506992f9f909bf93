"""Running nft and ip."""

import subprocess

from ringfence import components
from ringfence.kernel.errors import Unavailable

_PATIENCE = 10


def run(name: str, *arguments: str, stdin: str = "") -> str:
    """Run a program to its end and return what it prints; what it complains of is the error."""
    program = components.find(name)
    try:
        done = subprocess.run(  # noqa: S603 -- an absolute path, no shell
            [program.path, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=program.environment,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{name} did not run: {error}") from None
    if done.returncode:
        raise Unavailable(f"{name} refused: {' '.join(done.stderr.split())[:500]}")
    return done.stdout
