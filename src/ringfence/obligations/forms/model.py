"""A form: the questions of one evidence type, and what an answer shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName


class Kind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    FILE = "file"  # the claim is the salted digest of a document
    COUNT = "count"
    COMPUTED = "computed"  # follows from other answers
    YESNO = "yes-no"
    PARTS = "parts"  # some of a list of words
    NAMES = "names"  # short names that the person writes


@dataclass(frozen=True, slots=True)
class Share:
    """Thousandths of a whole, rounded down."""

    part: str
    whole: str

    @property
    def parts(self) -> frozenset[str]:
        """Return the answers that it follows from."""
        return frozenset({self.part, self.whole})

    def of(self, claims: Mapping[str, Any]) -> int | None:
        """Return the thousandths; None where the counts are not there, or the part is the larger."""
        part, whole = claims.get(self.part), claims.get(self.whole)
        if type(part) is not int or type(whole) is not int or not 0 <= part <= whole:
            return None
        return 1000 * part // whole if whole else 1000


@dataclass(frozen=True, slots=True)
class Span:
    """How many days lie from one date of the form to another."""

    start: str
    end: str

    @property
    def parts(self) -> frozenset[str]:
        """Return the answers that it follows from."""
        return frozenset({self.start, self.end})

    def of(self, claims: Mapping[str, Any]) -> int | None:
        """Return the days; None where a date is not there, or the second is before the first."""
        try:
            start, end = (date.fromisoformat(claims[name]) for name in (self.start, self.end))
        except (KeyError, TypeError, ValueError):
            return None
        return (end - start).days if start <= end else None


@dataclass(frozen=True, slots=True)
class Question:
    """One property of the claims."""

    name: str
    title: str
    kind: Kind
    description: str = ""
    choices: tuple[str, ...] = ()
    days: tuple[int, int] | None = None  # the first and last day that a date can be, counted from the day of signing
    computed: Share | Span | None = None
    within: str = ""  # every name of this list stands in that one
    counted: bool = False  # the answer comes from a register of this installation; nobody types it


@dataclass(frozen=True, slots=True)
class About:
    """What a statement is about."""

    kind: str
    title: str = ""
    claim: str = ""  # the claim that names it
    digest: str = ""  # the claim that is its digest
    of: PredicateName | None = None  # the evidence type whose newest statement knows name and version


@dataclass(frozen=True, slots=True)
class Form:
    """An evidence type that people state."""

    type: PredicateName
    title: str
    questions: tuple[Question, ...]
    about: About
    details: Mapping[str, str]  # what goes to the erasable side record, with its question
    shows: str
    does_not_show: str
    schema: Mapping[str, Any]

    def question(self, name: str) -> Question | None:
        """Return one question."""
        return next((one for one in self.questions if one.name == name), None)

    @property
    def counted(self) -> frozenset[str]:
        """Return the claims that a register of this installation answers."""
        return frozenset(one.name for one in self.questions if one.counted)

    def of_kind(self, kind: Kind) -> tuple[Question, ...]:
        """Return the questions that are answered in one way."""
        return tuple(one for one in self.questions if one.kind is kind)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one answer; `field` is the name of a claim, `subject`, or `details.` and a name."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A document that stays with the person: its salted digest goes into the claim, the salt into the details."""

    name: str
    salt: bytes
    digest: Digest


@dataclass(frozen=True, slots=True)
class Known:
    """A thing that another statement named, with its version."""

    name: str
    digest: Digest
    entry: int


@dataclass(frozen=True, slots=True)
class Filling:
    """What a person answered."""

    claims: Mapping[str, Any]
    subject: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Attached] = field(default_factory=dict)
