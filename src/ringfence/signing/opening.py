"""Sign in this very process: for a command while no `up` runs, with the same rules, mark and lock."""

from pathlib import Path

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import LogOrigin
from ringfence.signing.desk import Desk
from ringfence.signing.keyring import SERVICE_FILE, from_file
from ringfence.signing.mark import MARK, MarkFile, published


def in_process(home: Path, log: LogOrigin, passphrase: bytes | None, clock: Clock) -> Desk:
    """Open the service keys of a home; the mark is opened when the first head is signed."""
    keys = from_file(home / "keys" / SERVICE_FILE, passphrase, log)
    return Desk(keys, MarkFile(home / MARK, log), clock, lambda: published(home))
