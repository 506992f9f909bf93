"""Sign in this very process: for a command while no `up` runs, with the same rules, mark and lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import LogOrigin
from ringfence.signing.desk import Desk
from ringfence.signing.keyring import SERVICE_FILE, Decided, from_file, undecided
from ringfence.signing.mark import MARK, MarkFile, published
from ringfence.storage.turns import replacing, using

REPLACED_WITHIN = 15.0  # seconds: a rotation writes and publishes a few statements


@contextmanager
def of_command(
    home: Path,
    log: LogOrigin,
    passphrase: bytes | None,
    clock: Clock,
    decided: Decided = undecided,
    *,
    patience: float = REPLACED_WITHIN,
) -> Iterator[Desk]:
    """Open the service keys for one command; until it ends, no key of this home is replaced."""
    because = "keys are being replaced (`ringfence key rotate`, `key move`); try again when that has ended"
    with using(home, because, patience=patience):
        yield in_process(home, log, passphrase, clock, decided)


@contextmanager
def replacing_keys(home: Path) -> Iterator[None]:
    """Keep every command that signs in its own process out: it would go on with the key that is replaced."""
    with replacing(home, f"a command of Ringfence is under way in {home}; let it end, then replace the key"):
        yield


def in_process(
    home: Path, log: LogOrigin, passphrase: bytes | None, clock: Clock, decided: Decided = undecided
) -> Desk:
    """Open the service keys of a home; the mark is opened when the first head is signed."""
    keys = from_file(home / "keys" / SERVICE_FILE, passphrase, log, decided)
    return Desk(keys, MarkFile(home / MARK, log), clock, lambda: published(home))
