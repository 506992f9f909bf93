"""Make sure that a Chromium is there for the browser tests, or say why it is not.

As root on a Debian system it is installed by apt-get; otherwise nothing is touched, the browser tests are skipped and
pytest's summary counts them. Always ends with 0: a missing browser is no failure of the code under test.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
STEPS = (("apt-get", "update", "-q"), ("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"))
# An apt-get that hangs on a dead mirror must not take the whole run with it.
STEP_SECONDS = 420


def browser() -> str | None:
    """Return the path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> str | None:
    """Install Chromium; return why it did not work."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in STEPS:
        try:
            done = subprocess.run(  # noqa: S603 -- fixed commands
                step,
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=STEP_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"`{' '.join(step)}` took more than {STEP_SECONDS} s"
        if done.returncode:
            return f"`{' '.join(step)}` failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    return None


def main() -> None:
    """Say in one line what the browser tests will run with."""
    if found := browser():
        print(f"browser tests: {found}")
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(
            "browser tests: skipped, no Chromium here (install `chromium`; it is done by itself only as root on Debian)"
        )
        return
    print("browser tests: installing chromium", flush=True)
    if problem := install():
        print(f"browser tests: skipped, {problem}", file=sys.stderr)
        return
    print(f"browser tests: {browser() or 'skipped, chromium was installed but is not on the path'}")


if __name__ == "__main__":
    main()
