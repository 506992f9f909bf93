"""A software token for tests: SoftHSM in a folder of its own. It is no hardware, and is never counted as such."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.storage.tokens import Token, TokenPlace
from ringfence.storage.tokensigner import TokenKey
from ringfence.testing.programs import surroundings, tool

LABEL, PIN = "ring", "5678"
OWNER = 65534


@dataclass(frozen=True, slots=True)
class SoftToken:
    """Where the token is, and what opens it."""

    module: Path
    configuration: Path
    pin_file: Path
    label: str = LABEL


@contextmanager
def soft_token() -> Iterator[SoftToken]:
    """Make a token; skip the test where SoftHSM is not there.

    The module reads its configuration once per process: one folder for all tests of a run, and not one below pytest's,
    which no other user enters.
    """
    with TemporaryDirectory() as folder:
        yield from _named(initialised(Path(folder)))


def _named(made: SoftToken) -> Iterator[SoftToken]:
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(made.configuration)
    try:
        yield made
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


def give_away(token: SoftToken) -> None:
    """Give a token and the file of its PIN to a user of their own, as an installation has it that runs as root."""
    folder = token.configuration.parent
    for path in (folder, *folder.rglob("*")) if os.geteuid() == 0 else ():
        os.chown(path, OWNER, OWNER)


def unmade(token: SoftToken, name: str) -> TokenKey:
    """Return the place of a key pair that is not made yet."""
    return TokenKey(Token(TokenPlace(token.module, token.label, token.pin_file, name)), bytes(32))


def initialised(folder: Path) -> SoftToken:
    """Make a token in a folder; the environment has to name its configuration."""
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
    return SoftToken(module, configuration, pin_file)
