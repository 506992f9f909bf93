"""What the gate says of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringfence.artifacts.models.model import ModelId
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId


class Mode(StrEnum):
    """What follows from the gate's verdict in a tenant."""

    OBSERVE = "observe"  # it is computed and shown; a model that does not pass is served, and the answer says so
    ENFORCE = "enforce"  # a model that does not pass is not served


class Outcome(StrEnum):
    """What became of a condition."""

    MET = "met"
    UNMET = "unmet"
    WAIVED = "waived"  # it cannot be met by its nature, and a signed decision stands in its place; never shown as met


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, and the statements that its outcome rests on."""

    name: str
    outcome: Outcome
    because: str  # a sentence
    entries: tuple[int, ...] = ()
    demanded: bool = True

    @property
    def stands(self) -> bool:
        """Tell whether it keeps nobody from passing."""
        return self.outcome is not Outcome.UNMET or not self.demanded


@dataclass(frozen=True, slots=True)
class About:
    """Which model is asked about; `model` is empty where nobody stated anything of the digest."""

    digest: Digest
    model: ModelId | None
    name: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's verdict on one version of a model."""

    about: About
    conditions: tuple[Condition, ...]
    policy: Digest
    at: datetime

    @property
    def passed(self) -> bool:
        """Tell whether every condition that is demanded stands, and there is one."""
        demanded = [one for one in self.conditions if one.demanded]
        return bool(demanded) and all(one.stands for one in demanded)

    @property
    def unmet(self) -> tuple[str, ...]:
        """Return the names of the demanded conditions that are not met."""
        return tuple(one.name for one in self.conditions if not one.stands)


@dataclass(frozen=True, slots=True)
class Stated:
    """A verdict that is in the log."""

    digest: Digest
    passed: bool
    outcomes: Mapping[str, Outcome]  # of the demanded conditions
    policy: Digest
    at: datetime
    entry: int

    @property
    def unmet(self) -> tuple[str, ...]:
        """Return the names of the demanded conditions that were not met."""
        return tuple(name for name, outcome in self.outcomes.items() if outcome is Outcome.UNMET)


@dataclass(frozen=True, slots=True)
class InForce:
    """Which mode a tenant's people have signed, over which file."""

    mode: Mode = Mode.OBSERVE
    policy: Digest | None = None  # None: nobody signed anything
    entry: int | None = None
    by: PersonId | None = None
