"""What is asked of the log, and what is found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.kernel.statement import Strength
from ringfence.ledger.model import Issuer, LoggedStatement

UNTRUSTED = "untrusted"  # every standing but trusted


@dataclass(frozen=True, slots=True)
class Query:
    """A search; whatever is left out is not asked for."""

    subject: str = ""  # the beginning of a name, or of a digest: sha256:…
    predicate: PredicateName | None = None
    since: datetime | None = None  # recorded from then on
    until: datetime | None = None  # recorded before then
    actor: str = ""  # a role, a person, or the beginning of a key's id
    strength: Strength | None = None
    standing: str = ""  # one of `Standing`, or `UNTRUSTED`
    demo: bool | None = None
    before: int | None = None  # only entries below this index
    at: datetime | None = None  # what the log had, and knew of keys, by then

    @property
    def narrowed(self) -> bool:
        """Tell whether it asks for anything that the list of statements itself does not answer."""
        asked = (self.subject, self.since, self.until, self.actor, self.strength, self.standing)
        return any(asked) or self.demo is not None


@dataclass(frozen=True, slots=True)
class Window:
    """A key in a time in which its statements have one standing: from `since` on, before `until`.

    Where a compromise is judged, only the entries from `least` on, or those below `below`.
    """

    key: KeyId
    since: datetime
    until: datetime
    least: int = 0
    below: int | None = None

    def holds(self, key: KeyId, at: datetime, entry: int) -> bool:
        """Tell whether a statement by `key`, recorded at a time, stands inside."""
        covered = self.least <= entry and (self.below is None or entry < self.below)
        return self.key == key and self.since <= at < self.until and covered


@dataclass(frozen=True, slots=True)
class Windows:
    """Statements inside the windows; or, where `outside`, those inside none."""

    windows: tuple[Window, ...]
    outside: bool = False

    def holds(self, key: KeyId, at: datetime, entry: int) -> bool:
        """Tell whether a statement by `key`, recorded at a time, is meant."""
        inside = any(each.holds(key, at, entry) for each in self.windows)
        return inside is not self.outside


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with what the log knows of keys, so that rows can be compared."""

    query: Query
    keys: frozenset[KeyId] | None = None  # of the actor; None: whoever it was
    beginning: str = ""  # of the id of a key that nobody enrolled
    windows: Windows | None = None  # of the standing; None: whatever it was


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the index of the search goes."""

    entries: int  # below this one everything is in it
    size: int  # of the log

    @property
    def behind(self) -> bool:
        """Tell whether newer statements are missing from what is found."""
        return self.entries < self.size


@dataclass(frozen=True, slots=True)
class Counted:
    """How many statements match; where `capped`, at least so many."""

    number: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer, newest first."""

    statements: tuple[LoggedStatement, ...]
    older: int | None  # `before` of the next page; None where this is the last one
    count: Counted
    reach: Reach


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands in the sequence of its source."""

    entry: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that nothing in the log bears."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of a sequence that is to be 1, 2, 3 …, or from another start."""

    count: int
    first: int
    last: int
    gaps: tuple[Gap, ...] = ()
    more_gaps: bool = False  # beyond those that are listed

    @property
    def whole(self) -> bool:
        """Tell whether nothing is missing up to its last number."""
        return not self.gaps


@dataclass(frozen=True, slots=True)
class Totals:
    """What the index counts of one key."""

    key: KeyId
    count: int
    first: int  # sequence
    last: int
    last_entry: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """One key that stated something, and its sequence."""

    key: KeyId
    issuer: Issuer | None
    series: Series
    last_entry: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """Every source of a tenant, and the tenant's own sequence in the log."""

    sources: tuple[Source, ...]
    tenant: Series | None  # None: no entry of this tenant bears a number
    unnumbered: int  # entries of version 1
    reach: Reach

    @property
    def gaps(self) -> int:
        """Return how many sequences have a gap."""
        series = [*(source.series for source in self.sources), *([self.tenant] if self.tenant else [])]
        return sum(not each.whole for each in series)

    def __iter__(self) -> Iterator[Source]:
        return iter(self.sources)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The entries beside one: of the same source, and about the same subject; None where there is none."""

    source_before: int | None = None
    source_after: int | None = None
    subject_before: int | None = None
    subject_after: int | None = None
