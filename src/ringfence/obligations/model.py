"""What is asked: obligations, controls, evidence requirements. What came out is in `results`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations.choices import NO_OVERRIDES, Overrides, Profile
from ringfence.obligations.scope.rules import MemberState

Value = str | int | tuple[str, ...]
Claims = Mapping[str, Any]


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
    next_step: str = field(default="", compare=False)  # advice: where to observe or to state it again is not enough


class Selection(StrEnum):
    """Which of the statements that count are looked at."""

    LATEST = "latest"
    LATEST_PER_SUBJECT = "latest-per-subject"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which members of a population are meant: those of which rule `of` says in a list claim one of these words.

    What is not said leaves nobody out.
    """

    of: str
    claim: str
    any: frozenset[str]


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
    only: Narrowing | None = None  # a list of the claims only


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Evidence that takes other evidence of the same subject and digest back, until newer evidence no longer does."""

    of: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event after which evidence from before counts for some time only; every condition has to hold."""

    evidence: PredicateName
    because: str
    within: timedelta
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Recount:
    """The statements of people that a decision is counted from again: what was put to them, and their votes."""

    opening: str
    votes: str


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
    about: str | None = None  # only statements about this subject count: the type is one of several rules
    for_each: Population | None = None
    contradicted_by: Contradiction | None = None
    recount: Recount | None = None
    triggers: tuple[Trigger, ...] = ()
    anchors: bool = False  # its statement says that a head of the log lies outside
    floor: Strength | None = None  # where a team asks for more: ours, from which on a statement can speak against it

    @property
    def looked_at(self) -> Strength:
        """Return from which strength on statements are looked at; below `strength` they show nothing."""
        return self.strength if self.floor is None else self.floor

    @property
    def links(self) -> tuple[str, ...]:
        """Return the requirements whose statements decide as well."""
        return tuple(self.named.values())

    @property
    def named(self) -> Mapping[tuple[str, ...], str]:
        """Return these requirements, each by the place in the rule that names it."""
        found: dict[tuple[str, ...], str] = {}
        if drawn := self.for_each:
            found["for_each", "of"] = drawn.of
        if drawn and drawn.only:
            found["for_each", "only", "of"] = drawn.only.of
        if self.contradicted_by:
            found["contradicted_by", "of"] = self.contradicted_by.of
        if self.recount:
            found["recount", "opening"] = self.recount.opening
            found["recount", "votes"] = self.recount.votes
        return found


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
    ENTITY_BUT_FINANCIAL = "entity-but-financial"
    FINANCIAL_ENTITY = "financial-entity"
    LISTED_TYPE = "listed-type"
    LISTED_TYPE_BUT_TRUST = "listed-type-but-trust"
    ANY_AI = "any-ai"
    AI_ROLE = "ai-role"
    AI_ROLE_IN_PART = "ai-role-in-part"  # some of those in that role; which of them no signed scope tells
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
    turns: tuple[datetime, ...]  # when a date of an act, or of a national one, begins: sorted
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    overrides: Overrides = NO_OVERRIDES  # of a team; none of them in the rules as they ship

    @property
    def by_control(self) -> Mapping[str, tuple[Requirement, ...]]:
        """Return the evidence requirements of each control, in the order of the file."""
        found: dict[str, list[Requirement]] = {}
        for requirement in self.requirements.values():
            found.setdefault(requirement.control, []).append(requirement)
        return {name: tuple(rules) for name, rules in found.items()}

    def control(self, name: str) -> Control:
        """Return the control of this id; raise `NotFound`."""
        for control in self.controls:
            if control.id == name:
                return control
        raise NotFound(f"there is no control {name[:40]!r}; `ringfence status --all` lists them")

    def of(self, control: str) -> tuple[Requirement, ...]:
        """Return the evidence requirements of a control, in the order of the file."""
        return self.by_control.get(control, ())
