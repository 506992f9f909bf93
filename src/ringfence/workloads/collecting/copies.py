"""The collector of `backup.integrity`: whether copies of the home are whole, and how old is what none of them holds.

A copy is judged by what this log signed: its head has to be one of ours, its entries have to yield it, and its
database has to be sound and to reach as far. Nothing in a copy is written, and nothing of it is taken on trust.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from ringfence.installation import DATABASE, Home, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import RingfenceError, VerificationFailed
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger import tree
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.service import Ledger
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.ledger.tree import Growing
from ringfence.storage.files import read_bounded
from ringfence.workloads.collecting.observing import observation
from ringfence.workloads.collecting.places import Places

INTEGRITY = PredicateName("backup.integrity")
HOUR = timedelta(hours=1)
MAX_NOTE = 2**16
LISTED = 200


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was seen of one copy; `because` says why it is not whole."""

    path: str
    apart: bool  # on another file system than the home
    size: int = 0  # entries of its head
    because: str = ""

    @property
    def whole(self) -> bool:
        """Tell whether it passed."""
        return not self.because


@dataclass(frozen=True, slots=True)
class Integrity:
    """Look at every copy that there is."""

    home: Home
    ledger: Ledger
    places: Places
    clock: Clock

    def __call__(self, tenant: Tenant) -> Draft:
        """Inspect the copies, and find out since when something is in none of them."""
        found = inspected(self.places, self.home, self.ledger)
        size = max((one.size for one in found if one.whole), default=0)
        return draft(tenant, found, self._since(size), self.clock.now())

    def _since(self, size: int) -> datetime | None:
        """Return when the first entry was recorded that a copy of that size lacks; None where it lacks nothing."""
        lacking = self.ledger.outbox.integrated(size, size + 1)
        return lacking[0].recorded_at if lacking else None


def draft(tenant: Tenant, found: Sequence[Inspected], lacking_since: datetime | None, now: datetime) -> Draft:
    """State how the copies are; `lacking_since` is the age of the oldest entry that no whole copy holds."""
    whole = [one for one in found if one.whole]
    age = timedelta() if lacking_since is None else max(now - lacking_since, timedelta())
    claims = {
        "copies": len(found),
        "verified": len(whole),
        "failed": len(found) - len(whole),
        "oldestHours": -(-age // HOUR),
        "offHost": any(one.apart for one in whole),
    }
    details = [{"path": one.path, "entries": one.size, "because": one.because} for one in found[:LISTED]]
    return observation(INTEGRITY, tenant, claims, {"copies": details}, about="backups")


def inspected(places: Places, home: Home, ledger: Ledger) -> list[Inspected]:
    """Return what is seen of every copy that there is."""
    return [_inspected(path, places, home, ledger) for path in places.copies()]


def _inspected(path: Path, places: Places, home: Home, ledger: Ledger) -> Inspected:
    try:
        apart = places.apart(path)
        head = _inspect(path, home, ledger)
    except (RingfenceError, OSError, sqlite3.Error) as error:
        return Inspected(str(path), apart=False, because=str(error)[:500])
    return Inspected(str(path), apart, head.size)


def _inspect(copy: Path, home: Home, ledger: Ledger) -> Checkpoint:
    """Return the head of a copy that is whole; raise our family, `OSError` or `sqlite3.Error` where it is not."""
    marked = open_home(copy)
    if (marked.log, marked.root_public) != (home.log, home.root_public):
        raise VerificationFailed("it is the copy of another installation")
    if marked.tiles or marked.database or home.database:
        raise VerificationFailed("its log or its database lie elsewhere, and are no part of a copy of the folder")
    head = _head(copy, ledger)
    _check_entries(copy, head)
    _check_database(copy / DATABASE, head.size)
    return head


def _head(copy: Path, ledger: Ledger) -> Checkpoint:
    """Return the head that the copy shows, if it is one that this log signed."""
    note = read_bounded(copy / "log" / "checkpoint", limit=MAX_NOTE)
    head = ledger.keys().open(note, source="checkpoint").checkpoint
    if ledger.checkpoint(head.size).checkpoint.root != head.root:
        raise VerificationFailed(f"its head of {head.size} entries is not the one that this log published")
    return head


def _check_entries(copy: Path, head: Checkpoint) -> None:
    growing = Growing()
    for data in TileTree(DirectoryTiles(copy / "log")).entries(0, head.size):
        _taken_in(growing.add(tree.leaf_hash(data)))
    if growing.size != head.size or growing.root != head.root:
        raise VerificationFailed(f"its entries do not yield the root of its head of {head.size} entries")


def _taken_in(subtrees: Iterable[object]) -> None:
    for _ in subtrees:
        pass


def _check_database(path: Path, size: int) -> None:
    """Raise where the database is not sound, or does not hold every entry of the head; it is opened to read only."""
    waiting = path.with_name(f"{path.name}-wal")
    if waiting.exists() and waiting.stat().st_size:
        raise VerificationFailed("it was copied while something wrote: its database has a journal that is not applied")
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as opened:
        [verdict, *_] = opened.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise VerificationFailed(f"its database is damaged: {str(verdict)[:200]}")
        [held] = opened.execute("SELECT count(*) FROM statements WHERE entry < ?", (size,)).fetchone()
    if held != size:
        raise VerificationFailed(f"its database holds {held} of the {size} entries of its head")
