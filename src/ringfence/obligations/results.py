"""What came out: the states of requirements, controls and obligations of one tenant at one time, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations.choices import NO_OVERRIDES, Aside, Overrides, Selected
from ringfence.obligations.model import Control, Obligation, Requirement


class State(StrEnum):
    """What can be said about a requirement or a control at one time."""

    SATISFIED = "satisfied"
    PENDING = "pending"
    NOT_SATISFIED = "not-satisfied"
    UPCOMING = "upcoming"
    NOT_APPLICABLE = "not-applicable"


OPEN = frozenset({State.NOT_SATISFIED, State.PENDING})  # something is left to do
APART = frozenset({State.UPCOMING, State.NOT_APPLICABLE})  # nothing is asked now: these do not count


class Reason(StrEnum):
    """Why something is not satisfied, worst first."""

    CONTRADICTED = "contradicted"
    FAILED = "failed"
    UNTRUSTED = "untrusted"
    TOO_WEAK = "too-weak"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, order=True)
class Support:
    """A statement that a result rests on; `late` ones came through the emergency journal."""

    entry: int
    predicate: PredicateName
    subject: str
    recorded_at: datetime
    strength: Strength
    issuer: KeyId
    late: bool
    demo: bool


@dataclass(frozen=True, slots=True, order=True)
class Ignored:
    """A statement that counts for nothing, and why."""

    entry: int
    predicate: PredicateName
    subject: str
    recorded_at: datetime
    issuer: KeyId
    why: str


@dataclass(frozen=True, slots=True, order=True)
class Signer:
    """A key that could have made up what a result rests on."""

    key: KeyId
    role: KeyRole
    custody: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state with its reason and a sentence."""

    state: State
    because: str
    reason: Reason | None = None
    next_change: datetime | None = None
    next_step: str = ""  # where another one than its rule's helps


@dataclass(frozen=True, slots=True)
class MemberResult:
    """The verdict on one member of a population, or on the only thing there is (`name` is empty then)."""

    name: str
    verdict: Verdict
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """What the statements show about one evidence requirement at one time."""

    requirement: Requirement
    verdict: Verdict
    members: tuple[MemberResult, ...] = ()
    rests_on: tuple[Support, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    ignored_total: int = 0
    signers: tuple[Signer, ...] = ()

    @property
    def next_step(self) -> str:
        """Return the command that helps next: what is missing where the same look would see the same, or its rule's."""
        return self.verdict.next_step or self.requirement.next_step

    @property
    def weakest(self) -> Strength | None:
        """Return the weakest strength that the result rests on."""
        return min((support.strength for support in self.rests_on), default=None)


class Standing(StrEnum):
    """Where a tenant stands towards an obligation at one time."""

    BINDING = "binding"
    UPCOMING = "upcoming"
    NOT_OURS = "not-ours"
    UNDETERMINED = "undetermined"
    BASIS = "basis"


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation with the tenant's standing towards it."""

    obligation: Obligation
    standing: Standing
    because: str
    applies_from: date | None = None
    entries: tuple[int, ...] = ()  # the signed statements that the standing rests on


@dataclass(frozen=True, slots=True)
class ControlResult:
    """The computed status of one control."""

    control: Control
    verdict: Verdict
    requirements: tuple[RequirementResult, ...]
    duties: tuple[Duty, ...]
    entries: tuple[int, ...]
    weakest: Strength | None
    signers: tuple[Signer, ...]
    next_step: str | None
    aside: Aside | None = None  # a team's file says that it does not apply
    set_aside: bool = False  # it does not count because somebody signed that, and for no other reason
    required_by: str | None = None  # the profile that asks for it, whatever the scope says


@dataclass(frozen=True, slots=True)
class Board:
    """Every control and every obligation of one tenant at one time."""

    tenant: Tenant
    as_of: datetime
    rules: Digest
    demo: bool
    controls: tuple[ControlResult, ...]
    duties: tuple[Duty, ...]
    anchored_outside_until: datetime | None = None
    overrides: Overrides = NO_OVERRIDES
    profile: Selected | None = None

    def count(self, state: State) -> int:
        """Return how many controls are in `state`."""
        return sum(result.verdict.state == state for result in self.controls)  # == : a template names it by its word

    @property
    def set_aside(self) -> int:
        """Return how many controls are left out by signed reasons alone."""
        return sum(result.set_aside for result in self.controls)

    @property
    def denominator(self) -> int:
        """Return how many controls count: all but those upcoming or not applicable, gaps and errors included."""
        return sum(result.verdict.state not in APART for result in self.controls)


WORST_FIRST = (State.NOT_SATISFIED, State.PENDING, State.SATISFIED, State.UPCOMING, State.NOT_APPLICABLE)


def together(controls: Iterable[ControlResult]) -> State:
    """Return the state of several controls as one: satisfied only where each is of which something is asked now."""
    states = {one.verdict.state for one in controls}
    return next((state for state in WORST_FIRST if state in states), State.NOT_SATISFIED)
