"""What is asked and what came out: obligations, controls, evidence requirements, results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations.scope.rules import MemberState

Value = str | int | tuple[str, ...]


class Op(StrEnum):
    """How a condition compares a claim."""

    EQUALS = "equals"
    ONE_OF = "one-of"
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    PRESENT = "present"
    TRUE = "true"
    INCLUDES = "includes"
    SAME_AS = "same-as"


@dataclass(frozen=True, slots=True)
class Condition:
    """What one claim of a statement must be; `because` says what holds when it is not."""

    path: str
    op: Op
    because: str
    value: Value | None = None


class Selection(StrEnum):
    """Which of the statements that count are looked at."""

    LATEST = "latest"
    LATEST_PER_SUBJECT = "latest-per-subject"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Population:
    """The things that each need a statement of their own.

    Without `items`, they are the subjects that requirement `of` counts, each named with its digest; with `items`,
    they are the names that this claim of its newest statement lists, and the subject is `prefix` plus the name. By
    `digest`, the evidence names the member's bytes, under whatever name: another statement knew them before it did.
    """

    of: str
    noun: str
    items: str | None = None
    prefix: str = ""
    none: str = ""  # why an empty list is no gap
    by: Literal["name", "digest"] = "name"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Evidence that takes other evidence of the same subject and digest back, until newer evidence no longer does."""

    of: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Requirement:
    """One rule: which evidence shows a part of a control."""

    id: str
    control: str
    asks: str
    evidence: PredicateName
    issuers: frozenset[KeyRole]
    strength: Strength
    selection: Selection
    freshness: timedelta | None
    freshness_basis: Literal["law", "project", "none"]
    conditions: tuple[Condition, ...]
    next_step: str
    grace: timedelta = timedelta(0)
    for_each: Population | None = None
    contradicted_by: Contradiction | None = None
    anchors: bool = False  # its statement says that a head of the log lies outside


@dataclass(frozen=True, slots=True)
class Control:
    """What we do to meet obligations, and what showing it leaves open."""

    id: str
    domain: str
    tier: Literal["core", "extended"]
    title: str
    requirement: str
    obligations: tuple[str, ...]
    maps: Mapping[str, tuple[str, ...]]
    freshness_days: int | None
    trigger: str | None
    period_basis: Literal["law", "project"]
    period_note: str | None
    does_not_prove: tuple[str, ...]
    next_step: str


class Who(StrEnum):
    """Whom a provision addresses, as far as a signed scope can tell."""

    EVERYONE = "everyone"
    ENTITY = "entity"
    LISTED_TYPE = "listed-type"
    LISTED_TYPE_BUT_TRUST = "listed-type-but-trust"
    ANY_AI = "any-ai"
    AI_ROLE = "ai-role"
    PERSONAL_DATA = "personal-data"
    PRODUCT = "product"
    UNKNOWN = "unknown"


NATIONAL: Literal["national"] = "national"


@dataclass(frozen=True, slots=True)
class Obligation:
    """A provision in a legal text; `basis` provisions define or classify and ask nothing of anybody."""

    id: str
    act: str
    provision: str
    kind: Literal["duty", "basis"]
    paraphrase: str | None
    applies_from: date | Literal["national"] | Mapping[str, date] | None
    who: Who
    among: tuple[str, ...]
    source: str
    verified_on: date


@dataclass(frozen=True, slots=True)
class Catalog:
    """The whole rule set, and the digest that names it."""

    digest: Digest
    controls: tuple[Control, ...]
    obligations: Mapping[str, Obligation]
    requirements: Mapping[str, Requirement]
    national: Mapping[str, MemberState]

    def of(self, control: str) -> tuple[Requirement, ...]:
        """Return the evidence requirements of a control, in the order of the file."""
        return tuple(r for r in self.requirements.values() if r.control == control)


class State(StrEnum):
    """What can be said about a requirement or a control at one time."""

    SATISFIED = "satisfied"
    PENDING = "pending"
    NOT_SATISFIED = "not-satisfied"
    UPCOMING = "upcoming"
    NOT_APPLICABLE = "not-applicable"


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

    def count(self, state: State) -> int:
        """Return how many controls are in `state`."""
        return sum(result.verdict.state is state for result in self.controls)

    @property
    def denominator(self) -> int:
        """Return how many controls count: all but those upcoming or not applicable, gaps and errors included."""
        return sum(r.verdict.state not in (State.UPCOMING, State.NOT_APPLICABLE) for r in self.controls)


Claims = Mapping[str, Any]
