"""Customers as the log has them: an opaque id, what their contract says, and which of our things are theirs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.identifier import PersonId, handle
from ringfence.obligations.choices import Selected

CustomerId = NewType("CustomerId", str)

MAX_HOURS = 24 * 90
MAX_THINGS = 200
MAX_NAME = 120
MAX_REFERENCE = 200
_COUNTRY = re.compile(r"[A-Z]{2}")


class Regime(StrEnum):
    """What the customer itself is under; it says nothing about us."""

    ESSENTIAL = "nis2-essential"
    IMPORTANT = "nis2-important"
    DORA = "dora"
    GDPR = "gdpr-controller"
    CONTRACT = "contract"  # nothing but what the contract says
    UNKNOWN = "unknown"


ALONE = frozenset({Regime.CONTRACT, Regime.UNKNOWN})


class Occasion(StrEnum):
    """What a contract asks to be told of, each within its own hours."""

    INCIDENT = "incident"
    BREACH = "breach"  # of personal data
    SUBPROCESSOR = "subprocessor"  # a change of one


class ThingKind(StrEnum):
    """What of ours can be a customer's."""

    DATASET = "dataset"
    DEPLOYMENT = "deployment"
    MODEL = "model"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of ours: as statements name it, and as people do."""

    kind: ThingKind
    id: str
    called: str

    @property
    def name(self) -> str:
        """Return how a register names it."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody enters about a customer; things by the names that people use."""

    name: str
    regimes: tuple[Regime, ...] = (Regime.UNKNOWN,)
    country: str = ""
    hours: Mapping[Occasion, int] = field(default_factory=dict)
    clauses: tuple[str, ...] = ()
    things: Mapping[ThingKind, tuple[str, ...]] = field(default_factory=dict)
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """What stood in the register from a time on, as far as a clock depends on it."""

    since: datetime
    hours: Mapping[Occasion, int]
    regimes: tuple[Regime, ...]


def contract_at(contracts: Sequence[Contract], moment: datetime) -> Contract:
    """Return the contract that held at a moment; the first one, where it is older than the register."""
    begun = [one for one in contracts if one.since <= moment]
    return begun[-1] if begun else contracts[0]


@dataclass(frozen=True, slots=True)
class Announced:
    """A new subprocessor that a customer was told of, with the hours that the contract named then."""

    subprocessor: str  # an opaque id
    name: str  # empty once the side record was erased
    at: datetime  # when the customer was told, as somebody says
    hours: int | None  # None: the contract named none
    by: PersonId
    entry: int
    recorded_at: datetime

    @property
    def called(self) -> str:
        """Return what people see: the name, or the id where it was erased."""
        return self.name or self.subprocessor

    @property
    def earliest(self) -> datetime | None:
        """Return the moment before which it may not begin; None where the contract names no hours."""
        return None if self.hours is None else self.at + timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as of now."""

    id: CustomerId
    name: str  # empty once the side record was erased
    reference: str  # of the contract; likewise
    regimes: tuple[Regime, ...]
    country: str
    hours: Mapping[Occasion, int]
    clauses: tuple[str, ...]
    things: tuple[str, ...]
    by: PersonId
    entry: int  # of the newest statement
    changed_at: datetime
    contracts: tuple[Contract, ...] = ()  # every one, the oldest first
    given_up: Mapping[str, int] = field(default_factory=dict)  # things that were theirs, and the entry that ended it
    removed_at: datetime | None = None
    announced: tuple[Announced, ...] = ()  # subprocessors, the oldest first

    @property
    def called(self) -> str:
        """Return what people see: the name, or the id where it was erased."""
        return self.name or self.id

    def of_kind(self, kind: ThingKind) -> tuple[str, ...]:
        """Return the ids of the things of one kind."""
        prefix = f"{kind}/"
        return tuple(name.removeprefix(prefix) for name in self.things if name.startswith(prefix))


@dataclass(frozen=True, slots=True)
class Handed:
    """A pack that was made for a customer."""

    customer: CustomerId
    entry: int  # of the statement that says so
    at: datetime
    by: PersonId
    report: str  # digest of the report that closes the pack
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A questionnaire that was answered, in numbers."""

    customer: CustomerId
    entry: int
    at: datetime
    questions: int
    unmatched: int
    without: int  # with `no evidence`


@dataclass(frozen=True, slots=True)
class Register:
    """Everything that the log says of a tenant's customers."""

    everybody: Mapping[CustomerId, Customer]
    packs: Sequence[Handed] = ()
    answers: Sequence[Answered] = ()
    profile: Selected | None = None  # in force now: its hours count where a contract names none

    @property
    def current(self) -> tuple[Customer, ...]:
        """Return those that are not removed, by name."""
        found = (one for one in self.everybody.values() if one.removed_at is None)
        return tuple(sorted(found, key=lambda one: (one.called.casefold(), one.id)))

    def one(self, name: CustomerId) -> Customer:
        """Return a customer; raise `NotFound` where it was never one, or is one no longer."""
        found = self.everybody.get(name)
        if found is None or found.removed_at is not None:
            raise NotFound(f"there is no customer {name}; see `ringfence customer list`")
        return found


def customer_id(text: object) -> CustomerId:
    """Parse a customer's id."""
    return CustomerId(handle(text, "customer"))


def check(wanted: Wanted) -> None:
    """Return where an entry can stand; whether clauses and things are known is not looked at."""
    _words(wanted.name, "the name", MAX_NAME)
    if wanted.reference:
        _words(wanted.reference, "the reference", MAX_REFERENCE)
    _check_regimes(wanted.regimes)
    if wanted.country and not _COUNTRY.fullmatch(wanted.country):
        raise MalformedInput(f"{wanted.country[:8]!r} is not a country such as DE")
    for occasion, hours in wanted.hours.items():
        if not 1 <= hours <= MAX_HOURS:
            raise MalformedInput(f"hours of notice are 1 to {MAX_HOURS}, not {hours} ({occasion})")
    if sum(map(len, wanted.things.values())) > MAX_THINGS:
        raise MalformedInput(f"a customer has at most {MAX_THINGS} things here")


def check_subprocessor(name: str) -> None:
    """Return where a subprocessor can be called that."""
    _words(name, "the name of a subprocessor", MAX_NAME)


def _check_regimes(regimes: tuple[Regime, ...]) -> None:
    if not regimes or len(set(regimes)) != len(regimes):
        raise MalformedInput("say each regime once; unknown is one, too")
    if ALONE & set(regimes) and len(regimes) > 1:
        raise MalformedInput("contract and unknown stand alone: they say that no other regime is known")
    if {Regime.ESSENTIAL, Regime.IMPORTANT} <= set(regimes):
        raise MalformedInput("an entity is essential or important under NIS2, not both")


def _words(text: str, what: str, limit: int) -> None:
    if not text.strip() or text != text.strip() or len(text) > limit or not text.isprintable():
        raise MalformedInput(f"{what} has 1 to {limit} printable characters, none of them a blank at either end")
