"""The terms of the law and of contracts as data: stages, periods, thresholds, and who is bound."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ringfence.kernel.digest import Digest


class Unit(StrEnum):
    """What a period is counted in."""

    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"


class Anchor(StrEnum):
    """From what a deadline is counted; each has its own start."""

    AWARENESS = "awareness"
    SUBMISSION = "submission"  # of an earlier stage of the same regime
    CLASSIFICATION = "classification"
    MEASURE = "measure-available"
    HANDLED = "handled"
    NONE = "none"  # without undue delay, on request: no number of hours


@dataclass(frozen=True, slots=True)
class Period:
    """A number of hours, calendar days or months."""

    value: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.value} {self.unit.value if self.value != 1 else self.unit.value.removesuffix('s')}"


@dataclass(frozen=True, slots=True)
class Stage:
    """One report of a regime, as `clocks.yaml` has it."""

    id: str
    title: str
    ref: str
    period: Period | None
    anchor: Anchor
    counted_from: str  # the words of the file
    after: str  # the stage whose submission starts it
    content: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Regime:
    """One act with its stages."""

    id: str
    act: str
    addressee: str
    awareness_rule: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the report model, and in which stages it is asked for."""

    name: str
    meaning: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The clock data: regimes by id, and the fields of reports."""

    digest: Digest
    status_date: str
    regimes: Mapping[str, Regime]
    form: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One criterion of significance with its numbers, as `nis2_2690.yaml` has it."""

    code: str
    type: str  # the entity type it binds; empty for all
    kind: str
    text: str
    minutes: int | None = None
    eur: int | None = None
    turnover_pct: Decimal | None = None
    users_pct: Decimal | None = None
    users_abs: int | None = None


class Category(StrEnum):
    """What an entity is under NIS2, as far as Article 23 depends on it."""

    ESSENTIAL = "essential"
    IMPORTANT = "important"
    OUT_OF_SCOPE = "out_of_scope"
    REGISTRATION_ONLY = "registration_only"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tenant's own classification says; a customer's status never counts here."""

    category: Category
    binds_2690: bool | None = None
    types: tuple[str, ...] = ()
    provision: str = ""
    jurisdiction: str = ""  # ISO codes, joined by commas, of the Member States whose midnight ends a day
    financial: bool = False  # DORA 19 in the place of NIS2 23


PROPOSAL = "a proposal of this project"
_NODE = re.compile(r"n-[0-9a-f]{8}")  # anything else is a key or a name: on which node, nobody knows


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by its opaque id, and the hours that the contract gives for a notice."""

    id: str
    hours: int = 12  # a project proposal; the contract overrides it
    agreed: bool = False  # whether the hours are the contract's own
    held: tuple[tuple[datetime, int, bool, str], ...] = ()  # since when which hours held, the oldest first
    nodes: frozenset[str] = frozenset()  # that are theirs
    only_nodes: bool = False  # nothing else is theirs: what is on no node of theirs does not touch them
    basis: str = PROPOSAL  # of hours that nobody agreed
    former: bool = False  # no customer any more: clocks that run go on, and no new one begins by itself
    breach: tuple[tuple[datetime, int | None], ...] = ()  # since when which hours of a breach held, the oldest first

    def at(self, moment: datetime) -> tuple[int, bool, str]:
        """Return the hours that held at a moment, with their basis: what changes later stretches no clock that runs."""
        begun = [one[1:] for one in self.held if one[0] <= moment]
        first = self.held[0][1:] if self.held else (self.hours, self.agreed, self.basis)
        return begun[-1] if begun else first

    def breach_at(self, moment: datetime | None) -> int | None:
        """Return the hours for a notice of a breach of personal data that held at a moment; None: none were agreed."""
        begun = [hours for since, hours in self.breach if moment is None or since <= moment]
        first = self.breach[0][1] if self.breach else None
        return begun[-1] if begun else first

    def touched(self, nodes: Iterable[str]) -> bool | None:
        """Say whether an incident on these nodes touches them; None where nobody knows."""
        found = frozenset(nodes)
        if not self.nodes.isdisjoint(found):
            return True
        clear = self.only_nodes and bool(found) and all(map(_NODE.fullmatch, found))
        return False if clear else None

    def named(self, nodes: Iterable[str]) -> bool:
        """Return whether a significant incident names them unless somebody says otherwise."""
        return not self.former and self.touched(nodes) is not False
