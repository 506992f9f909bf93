"""Rules that are held against ours, and what came out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.digest import Digest
from ringfence.obligations.difference import Difference, Told, told
from ringfence.obligations.model import Catalog, Control
from ringfence.obligations.results import Board, Verdict

PART = (
    "A pack carries what its status line says of the rules, and not the rules: fields that it does not say are not "
    "compared, and no status can be computed by them. The edition of that release has all of it."
)


@dataclass(frozen=True, slots=True)
class Other:
    """Rules from elsewhere: all of them, or what a status line says of them."""

    kind: str  # "shipped", "edition" or "pack"
    told: Told
    catalog: Catalog | None = None  # None: only a part is told
    note: str = ""

    @classmethod
    def whole(cls, kind: str, catalog: Catalog, note: str = "") -> "Other":
        """Return rules of which everything is known."""
        return cls(kind, told(catalog), catalog, note)


Opened = Callable[[bytes], Other]  # reads a file that somebody chose; raises `MalformedInput`


@dataclass(frozen=True, slots=True)
class Moved:
    """A control whose state is another one by the other rules; None where those have no such control."""

    control: Control
    there: Verdict | None
    here: Verdict | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Other rules (`old` of the difference, "there") beside those that count ("here"), at one time."""

    other: Other
    found: Difference
    here: Board
    there: Board | None  # None where no status can be computed by the other rules
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """A statement that names a version of the rules."""

    entry: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the rules: it counts here, it ships with this release, or statements of ours name it."""

    digest: Digest
    counts: bool
    ships: bool
    count: int  # statements that name it
    first: Naming | None
    last: Naming | None
