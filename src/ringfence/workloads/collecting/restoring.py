"""The collector of `backup.restore_drill`: the newest copy is restored beside the home, and its whole log is checked.

No key of a dataset is used: an opening has a person who signs it. What is checked of datasets is that their sealed
bytes came back, down to every chunk, under the digests that were signed.
"""

import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from ringfence.artifacts import blobs
from ringfence.artifacts.model import Sealed
from ringfence.artifacts.store import DatasetTable
from ringfence.artifacts.verifying import verify
from ringfence.installation import Home, open_home
from ringfence.kernel.errors import Refused, RingfenceError
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.audit import ChainAudit
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.ledger.service import Ledger
from ringfence.ledger.store import CheckpointTable, SuccessionRows, integrator
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.storage.database import Database
from ringfence.storage.migrations import upgrade
from ringfence.workloads.collecting.copies import inspected
from ringfence.workloads.collecting.observing import observation
from ringfence.workloads.collecting.places import Places

DRILL = PredicateName("backup.restore_drill")
PREFIX = ".restoring-"  # below the home: what is restored holds keys, and other places may be read by others
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a drill came to."""

    entries: int = 0
    head_matches: bool = False
    datasets: int = 0  # of the copy, with bytes on this machine
    damaged: int = 0
    newest_at: datetime | None = None  # recording of the copy's last entry
    failures: tuple[str, ...] = ()
    micros: int = 0

    @property
    def restored(self) -> bool:
        """Tell whether everything came back that the copy was to hold."""
        return self.entries > 0 and self.head_matches and not self.failures and not self.damaged


@dataclass(frozen=True, slots=True)
class Drill:
    """Restore the newest copy, and look at what came back."""

    home: Home
    ledger: Ledger
    places: Places
    stopwatch: Callable[[], int] = time.monotonic_ns

    def __call__(self, tenant: Tenant) -> Draft:
        """Run the drill; one without a copy has restored nothing, and says so."""
        self._clean()
        begun = self.stopwatch()
        found = self._restored(tenant)
        done = replace(found, micros=(self.stopwatch() - begun) // 1000)
        size = self.ledger.published_head().checkpoint.size
        [oldest] = self.ledger.outbox.integrated(0, 1)
        [newest] = self.ledger.outbox.integrated(size - 1, size)
        return draft(tenant, done, newest.recorded_at - (done.newest_at or oldest.recorded_at))

    def _restored(self, tenant: Tenant) -> Restored:
        copy, because = self._newest()
        if copy is None:
            return Restored(failures=because)
        try:
            with tempfile.TemporaryDirectory(prefix=PREFIX, dir=self.home.path) as folder:
                target = Path(folder) / "home"
                shutil.copytree(copy, target, symlinks=True, ignore=_left_out)
                return self._examined(target, tenant)
        except (RingfenceError, OSError, sqlite3.Error) as error:
            return Restored(failures=(str(error)[:500],))

    def _newest(self) -> tuple[Path | None, tuple[str, ...]]:
        """Return the copy with the most entries of those that are whole; or why there is none."""
        found = inspected(self.places, self.home, self.ledger)
        if whole := [(one.size, one.path) for one in found if one.whole]:
            return Path(max(whole)[1]), ()
        because = tuple(f"{one.path}: {one.because}"[:500] for one in found)
        return None, because or ("no copy was found; name the folders of copies in backups.json",)

    def _examined(self, path: Path, tenant: Tenant) -> Restored:
        with _opened(path, self.ledger) as (ledger, database):
            audit, size = ledger.audit(), ledger.head().checkpoint.size
            last = ledger.outbox.integrated(size - 1, size)
            held = DatasetTable(database).all(tenant)
            checked = [_is_whole(path, one) for one in held if (path / "datasets" / one.dataset).is_dir()]
        ours = self.ledger.checkpoint(size).checkpoint.root
        return Restored(
            entries=audit.entries,
            head_matches=_matches(audit, ours),
            datasets=len(checked),
            damaged=checked.count(False),
            newest_at=last[0].recorded_at if last else None,
            failures=audit.failures[:50],
        )

    def _clean(self) -> None:
        """Remove what a drill left that was killed: it holds keys."""
        for left in self.home.path.glob(f"{PREFIX}*"):
            with suppress(OSError):
                shutil.rmtree(left)


@contextmanager
def _opened(path: Path, ours: Ledger) -> Iterator[tuple[Ledger, Database]]:
    """Open what was restored as `up` would, but for the signer: nothing is signed there."""
    home = open_home(path)
    database = Database(home.database_url)
    try:
        upgrade(database)
        tiles = DirectoryTiles(path / "log")
        yield (
            replace(
                ours,
                outbox=replace(ours.outbox, database=database),
                checkpoints=CheckpointTable(database, home.log),
                tiles=tiles,
                tree=TileTree(tiles),
                sign=_never,
                exclusive=integrator(database, path / "log.lock"),
                transaction=database.transaction,
                kept=None,
                replaced=SuccessionRows(database, home.tenant),
            ),
            database,
        )
    finally:
        database.close()


def _left_out(folder: str, names: Sequence[str]) -> set[str]:
    """Name what is no part of a home: other drills, and the sockets that what ran in it listened at."""
    return {name for name in names if name.startswith(PREFIX) or not _holds(Path(folder, name))}


def _holds(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _never(head: Checkpoint, _at: datetime, _proof: Sequence[bytes] = (), /) -> SignedCheckpoint:
    raise Refused(f"a restored copy signs nothing, and no head of {head.size} entries")


def _matches(audit: ChainAudit, ours: bytes) -> bool:
    return audit.root == ours and audit.entries == audit.size


def _is_whole(path: Path, dataset: Sealed) -> bool:
    try:
        with blobs.Home(path).vault(dataset.dataset, dataset.epoch) as vault:
            return verify(vault, dataset.seal, dataset.epoch).passed
    except RingfenceError:
        return False


def draft(tenant: Tenant, done: Restored, lost: timedelta) -> Draft:
    """State the drill; `lost` lies between the last entry that came back and the newest of the log."""
    claims = {
        "restored": done.restored,
        "entries": done.entries,
        "headMatches": done.head_matches,
        "datasets": done.datasets,
        "datasetsDamaged": done.damaged,
        "seconds": -(-done.micros // 1_000_000),
        "lostSeconds": -(-lost // SECOND),
    }
    return observation(DRILL, tenant, claims, _told(done.failures), about="restore")


def _told(failures: Sequence[str]) -> dict[str, list[str]]:
    return {"failures": list(failures)} if failures else {}
