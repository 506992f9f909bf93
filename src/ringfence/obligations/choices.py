"""What a team chose beside the law: an industry profile, and overrides of our rules; as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from ringfence.kernel.digest import Digest, dumps

NO_PROFILE = "none"


@dataclass(frozen=True, slots=True)
class Period:
    """How long a class of stored data is kept by a profile; `minimum` binds by law from a day on, where it does."""

    days: int
    basis: str = "project"
    minimum: int = 0
    since: date | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """An industry profile: its parts that code enforces, and the names of those that no code enforces yet."""

    id: str
    data: Mapping[str, Any]
    required: frozenset[str]  # controls that are asked whatever the scope says
    freshness: Mapping[str, timedelta]  # by rule
    retention: Mapping[str, Period]  # by class of stored data
    notice: Mapping[str, int]  # minutes to tell a customer, by kind of event
    not_enforced: tuple[str, ...]

    @property
    def digest(self) -> Digest:
        """Return what names exactly these values."""
        return Digest.of(dumps(dict(self.data)))


NONE = Profile(NO_PROFILE, {}, frozenset(), {}, {}, {}, ())


@dataclass(frozen=True, slots=True)
class Selected:
    """The profile in force, and the entry of the statement that put it in force; no entry: it is only tried out."""

    profile: Profile
    entry: int | None
    since: datetime | None
    outdated: bool = False  # this release says otherwise what the profile is than the one that was signed


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of a team's file that says that a control does not apply; alone it changes nothing."""

    control: str
    reason: str
    owner: str
    expires: date
    because: str
    file: Digest


@dataclass(frozen=True, slots=True)
class OverrideFile:
    """One file of overrides: its name and its values; the digest is over the values, not over comments."""

    name: str
    value: Mapping[str, Any]

    @property
    def digest(self) -> Digest:
        """Return what names exactly these values."""
        return Digest.of(dumps(dict(self.value)))


@dataclass(frozen=True, slots=True)
class Overrides:
    """Everything that a team's files change."""

    files: tuple[OverrideFile, ...] = ()
    set_aside: Mapping[str, SetAside] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return how many rows the files have."""
        return sum(len(file.value["overrides"]) for file in self.files)

    @property
    def digest(self) -> Digest:
        """Return the digest over the files, in the order of their names."""
        parts = (Digest.of(file.name.encode()).value + file.digest.value for file in self.files)
        return Digest.of(b"".join(parts))

    def __bool__(self) -> bool:
        """Tell whether there is any file."""
        return bool(self.files)


NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class Aside:
    """What became of such a row at one time: the statement that makes it count, or why it does not count."""

    row: SetAside
    entry: int | None
    why_not: str = ""
    signable: bool = False  # a signature would make it count

    @property
    def counts(self) -> bool:
        """Tell whether the control is set aside."""
        return not self.why_not
