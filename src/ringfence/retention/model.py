"""What is kept: classes with their periods, items with their clocks, holds, runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

ClassName = NewType("ClassName", str)
HoldId = NewType("HoldId", str)
RunId = NewType("RunId", str)

DETAILS = "details"  # the source of side records

_HOLD = re.compile(r"hold-[0-9a-f]{12}")


class Basis(StrEnum):
    """Who sets a minimum."""

    LAW = "law"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Minimum:
    """A period that nobody goes below."""

    days: int
    basis: Basis
    provision: str
    paraphrase: str = ""
    whom: str = ""
    applies_from: Mapping[str, date] | None = None  # by kind of system; None: since ever
    source: str = ""
    verified_on: str = ""

    def of_law(self, at: datetime) -> bool:
        """Return whether the law demands it at a time, of anybody."""
        since = self.applies_from or {}
        return self.basis is Basis.LAW and any(day <= at.date() for day in since.values())


@dataclass(frozen=True, slots=True)
class Class:
    """A kind of data with its period."""

    name: ClassName
    title: str
    holds: str
    purpose: str
    families: tuple[str, ...]  # of the statements whose details it is; none: no details
    days: int  # how long it is kept
    minima: tuple[Minimum, ...]
    maximum: int
    starts: str
    destroys: str
    overridden: bool = False  # the team's own period
    profile: bool = False  # the default of the profile in force

    @property
    def floor(self) -> int:
        """Return the days below which nobody goes."""
        return max((minimum.days for minimum in self.minima), default=0)

    @property
    def period(self) -> int:
        """Return the days that count: never below the floor, whatever else is configured."""
        return max(self.days, self.floor)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that no sweep of ours touches, and why."""

    title: str
    period: str
    because: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every class, in the order of the file."""

    classes: tuple[Class, ...]
    elsewhere: tuple[Elsewhere, ...]
    digest: Digest  # of the shipped file and of the team's

    def named(self, name: ClassName) -> Class:
        """Return a class; asking for one that is not here is an error of ours."""
        return next(each for each in self.classes if each.name == name)

    def of(self, predicate: str) -> Class:
        """Return the class of the details of a statement."""
        family = predicate.partition(".")[0]
        for each in self.classes:
            if family in each.families or "*" in each.families:
                return each
        raise MalformedInput("no class takes the details of every other statement")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is kept, and what a hold or an erasure can know it by."""

    kind: ClassName
    source: str
    key: str  # within its source
    since: datetime  # when its clock started
    predicate: str  # of the statement that it belongs to, or a word for what it is
    names: frozenset[str] = frozenset()  # people, keys, incidents, subjects that it speaks of
    commitment: bytes = b""  # of details
    unreadable: str = ""  # why nobody can say how old it is


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold covers: all that is named here must fit."""

    person: str = ""
    incident: str = ""
    family: str = ""  # dotted beginning of an evidence type
    start: datetime | None = None
    end: datetime | None = None

    @property
    def empty(self) -> bool:
        """Return whether nothing is named: that would hold everything, by mistake."""
        return not (self.person or self.incident or self.family or self.start or self.end)


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to keep."""

    id: HoldId
    tenant: Tenant
    scope: Scope
    placed_by: PersonId
    placed_at: datetime
    names: frozenset[str] = frozenset()  # under which the person is known: the id, and keys
    released_by: PersonId | None = None
    released_at: datetime | None = None


class Act(StrEnum):
    """Why something is destroyed."""

    SWEEP = "sweep"  # its period is over
    ERASE = "erase"  # somebody asked for it


class Fate(StrEnum):
    """What became of one item of a run."""

    WANTED = "wanted"
    DESTROYED = "destroyed"
    HELD = "held"  # a legal hold was placed after the run began
    KEPT = "kept"  # it is not due after all


@dataclass(frozen=True, slots=True)
class Run:
    """A list of what is to be destroyed, stated before anything is."""

    id: RunId
    tenant: Tenant
    act: Act
    kind: ClassName | None  # of a sweep; an erasure crosses classes
    requested: Digest  # the statement that says it was asked for
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    run: Run
    fates: Mapping[Fate, int]
    commitments: tuple[Digest, ...]  # of the details that were destroyed

    def count(self, fate: Fate) -> int:
        """Return how many items met a fate."""
        return self.fates.get(fate, 0)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many items met each fate that ends a run."""
        return {fate.value: self.count(fate) for fate in (Fate.DESTROYED, Fate.HELD, Fate.KEPT)}


@dataclass(frozen=True, slots=True)
class Erased:
    """That details are gone, since when, and by which run."""

    at: datetime
    act: Act


@dataclass(frozen=True, slots=True)
class Tally:
    """How much of a class there is."""

    count: int = 0
    oldest: datetime | None = None


def hold_id(text: object) -> HoldId:
    """Parse a hold's id."""
    if not isinstance(text, str) or not _HOLD.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not a hold's id such as hold-0123456789ab")
    return HoldId(text)
