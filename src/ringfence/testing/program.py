"""The whole program in child processes: one verb to its end, or `ringfence up` for as long as a block lasts."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import httpx

from ringfence import main
from ringfence.frontends.client import listening

COMMAND = (sys.executable, "-m", "ringfence")
_TRIES = 300


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: this one's, without settings of Ringfence, and `given`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # each child would compile everything anew: a second each
    return kept | dict(given)


def run(
    given: Mapping[str, str], *arguments: str, prefix: tuple[str, ...] = (), **more: Any
) -> "subprocess.CompletedProcess[str]":
    """Run one verb to its end."""
    return subprocess.run(  # noqa: S603 - the project's own program
        [*prefix, *COMMAND, *arguments],
        env=environment(given),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


def called(given: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one verb to its end in this process: the same command line, without the second that a child takes."""
    out, err, kept = io.StringIO(), io.StringIO(), dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(given))
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main.run(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@contextmanager
def serving(given: Mapping[str, str]) -> Iterator[str]:
    """Serve an installation with `ringfence up` until the block ends; give its address."""
    child = started(given)
    try:
        assert child.stderr is not None
        line = child.stderr.readline()
        assert "/login?token=" in line, line + child.stderr.read()
        address = line.split()[1].partition("/login")[0].replace("//localhost:", "//127.0.0.1:")
        while "Ctrl-C" not in child.stderr.readline():
            assert child.poll() is None
        _wait_for(Path(given["RINGFENCE_HOME"]) / "ringfence.sock", address)
        yield address
    finally:
        child.terminate()
        child.communicate(timeout=60)


def started(given: Mapping[str, str], *, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start `ringfence up` on a free port; its own words come on standard error."""
    command = [*prefix, *COMMAND, "up", "--port", "0", "--gateway-port", "0"]
    return subprocess.Popen(command, env=environment(given), stderr=subprocess.PIPE, text=True)  # noqa: S603


def _wait_for(path: Path, address: str) -> None:
    """Return once the server answers at both its doors."""
    for _ in range(_TRIES):
        try:
            if not listening(path):
                raise FileNotFoundError(path)
            httpx.get(f"{address}/healthz", trust_env=False).raise_for_status()
        except (OSError, httpx.TransportError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server never answered")
