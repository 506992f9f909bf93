"""Screen an epoch for poison: every item, then known cases among the same items, then what people decided.

What a screen finds of the cases that were planted is counted in that run, on those data. A screen that finds less than
half of its own has not screened: it is left out of what was looked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.artifacts.checks import decisions as deciding
from ringfence.artifacts.checks.columns import LOOKED_AT, Roles, settle
from ringfence.artifacts.checks.decisions import Decisions, Flag, Settled
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Row
from ringfence.artifacts.checks.planting import PLANTED, plant
from ringfence.artifacts.checks.policy import Policy
from ringfence.artifacts.checks.ports import Files
from ringfence.artifacts.checks.reading import Read, Splits, rows
from ringfence.artifacts.checks.screen import LONGEST, Flagged, Kind, flag, screens
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import UsageError

MAX_ITEMS = 100_000  # that are looked at; of more, the rest counts as not screened
MAX_CHARACTERS = 2**28  # of all of them together


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be screened for, and how; several columns of text are looked at as one."""

    policy: Policy
    texts: tuple[str, ...] = ()
    splits: Splits = field(default_factory=Splits)
    most: int = MAX_ITEMS


@dataclass(frozen=True, slots=True)
class Tried:
    """One screen: what it flagged, and what it found of what was planted for it."""

    kind: Kind
    flagged: Flagged
    planted: int = 0
    found: int = 0
    how: str = ""

    @property
    def reason(self) -> str:
        """Say why this screen does not count as one; empty where it does."""
        if self.flagged.reason:
            return self.flagged.reason
        if self.planted < PLANTED:
            return self.how
        if 2 * self.found < self.planted:
            return f"it found {self.found} of {self.planted} planted cases: on these data it sees too little"
        return ""


@dataclass(frozen=True, slots=True)
class Screening:
    """What came of it, with counts of items."""

    items: int
    screened: int
    tried: tuple[Tried, ...]
    settled: Settled
    decisions: Decisions
    flags: tuple[Flag, ...]
    policy: Policy

    @property
    def checks(self) -> tuple[Kind, ...]:
        """Return what the items were screened for."""
        return tuple(one.kind for one in self.tried if not one.reason)

    @property
    def planted(self) -> tuple[int, int]:
        """Return how many known cases were planted, and how many of them were found."""
        return sum(one.planted for one in self.tried), sum(one.found for one in self.tried)

    @property
    def flagged(self) -> int:
        """Return how many items were flagged, with those that were taken out since they were."""
        return len(self.flags) + len(self.settled.taken_out)


def run(files: Files, order: Order, decisions: Decisions) -> Screening:
    """Screen every item of a dataset.

    Raises:
        UsageError: there is no item, a column that was named is in none, or the decisions are of other data.
        Unavailable: a format needs a library that is not installed.
    """
    read = Read()
    kept, cut = _kept(joined(rows(files, order.splits, read), order.texts), order.most)
    items = read.rows + read.broken.total + read.unread.total
    if not kept:
        raise UsageError("there is no record in it that could be screened")
    policy = order.policy
    text = _column(order.texts) or policy.text
    roles = settle(Roles(policy.label, text, policy.identifiers, policy.keys), kept[:LOOKED_AT])
    flagged = _flagged(kept, roles, policy)
    suspicious = frozenset().union(*(one.places for one in flagged.values()))
    usable = [place for place in range(len(kept)) if place not in suspicious]
    tried = tuple(_tried(kind, flagged[kind], kept, roles, usable, policy) for kind in Kind)
    unseen = cut.union(*(one.flagged.unseen for one in tried if not one.reason))
    wanted = {place: frozenset(kind for kind in Kind if place in flagged[kind].places) for place in suspicious}
    again = joined(rows(files, order.splits, Read()), order.texts)
    flags, present = _named(again, wanted, roles, decisions)
    settled = deciding.settle(flags, decisions, present)
    deciding.check_share(len(flags) + len(settled.taken_out), items)
    return Screening(items, len(kept) - len(unseen), tried, settled, decisions, tuple(flags), policy)


def _flagged(rows: Sequence[Row], roles: Roles, policy: Policy) -> dict[Kind, Flagged]:
    screen = screens(rows, roles, policy)
    return {kind: screen(kind) for kind in Kind}


def _column(texts: Sequence[str]) -> str:
    return " + ".join(texts)


def joined(found: Iterator[Row], texts: Sequence[str]) -> Iterator[Row]:
    """Yield rows in which several columns of text are one."""
    if len(texts) < 2:
        yield from found
        return
    for row in found:
        cells = {name: value for name, value in row.cells.items() if name not in texts}
        if _column(texts) in cells:
            raise UsageError(f"there is a column {quoted(_column(texts))}, as several texts would be called together")
        parts = [str(value) for name in texts if (value := row.cells.get(name)) is not None]
        yield row._replace(cells={**cells, _column(texts): "\n".join(parts)})


def _kept(found: Iterator[Row], most: int) -> tuple[list[Row], frozenset[int]]:
    """Return the first rows up to the bounds, and the places of those whose cells had to be cut; read to the end."""
    kept: list[Row] = []
    cut: set[int] = set()
    room = MAX_CHARACTERS
    for place, row in enumerate(found):
        if place >= most or room <= 0:
            continue
        if any(isinstance(value, str) and len(value) > LONGEST for value in row.cells.values()):
            cut.add(place)
        cells = {n: value[:LONGEST] if isinstance(value, str) else value for n, value in row.cells.items()}
        room -= sum(len(value) if isinstance(value, str) else 8 for value in cells.values())
        kept.append(row._replace(cells=cells))
    return kept, frozenset(cut)


def _tried(
    kind: Kind, flagged: Flagged, kept: Sequence[Row], roles: Roles, usable: Sequence[int], policy: Policy
) -> Tried:
    if flagged.reason:
        return Tried(kind, flagged)
    made = plant(kind, kept, roles, usable, policy.seed)
    if not made.places:
        return Tried(kind, flagged, how=made.how)
    found = flag(kind, made.rows, roles, policy).places & made.places
    return Tried(kind, flagged, len(made.places), len(found), made.how)


def _named(
    found: Iterator[Row], wanted: Mapping[int, frozenset[Kind]], roles: Roles, decisions: Decisions
) -> tuple[list[Flag], set[Digest]]:
    """Name the flagged items by salted digests, and tell which of those that were decided about are there."""
    flags: list[Flag] = []
    present: set[Digest] = set()
    for place, row in enumerate(found):
        if place in wanted or decisions.by_item:
            item = deciding.item_of(row, roles, decisions.salt)
            if item in decisions.by_item:
                present.add(item)
            if place in wanted:
                flags.append(Flag(item, wanted[place], row.file, row.number))
    return flags, present
