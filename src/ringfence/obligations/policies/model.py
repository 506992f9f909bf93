"""A policy as a text: sections of passages, each declared by somebody or observed by a control or a rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from ringfence.kernel.identifier import PredicateName
from ringfence.obligations.placeholders import Problem

SIGNED = PredicateName("policy.version_signed")
APPROVED = PredicateName("mgmt.approval")
READ = (SIGNED, APPROVED, PredicateName("mgmt.resolution_opened"), PredicateName("mgmt.vote"))


@dataclass(frozen=True, slots=True)
class Declared:
    """Somebody's word: the role of whoever says so, and since when."""

    owner: str
    on: date


@dataclass(frozen=True, slots=True)
class Observed:
    """What holds only while a control, or one rule, is satisfied."""

    name: str  # in small letters: `log-02`, or `log-02.chain`


@dataclass(frozen=True, slots=True)
class Broken:
    """A mark that cannot be read; what is wrong with it is a problem of its own."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph; without a mark nobody stands for it."""

    line: int
    text: str
    mark: Declared | Observed | Broken | None


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one heading, and which parts of the policy's form it is."""

    line: int
    title: str
    parts: tuple[str, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, as far as it can be read; `problems` are those of its form."""

    header: Mapping[str, str]
    lines: Mapping[str, int]  # of the header, by key
    title: str
    sections: tuple[Section, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def passages(self) -> Iterator[Passage]:
        """Yield every passage, in order."""
        return (passage for section in self.sections for passage in section.passages)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts that have content, in order, each once."""
        return tuple(dict.fromkeys(part for section in self.sections if section.passages for part in section.parts))

    @property
    def observes(self) -> tuple[str, ...]:
        """Return the controls and rules whose state it relies on, sorted."""
        return tuple(sorted({p.mark.name for p in self.passages if isinstance(p.mark, Observed)}))


@dataclass(frozen=True, slots=True)
class Standing:
    """The computed state of a control or a rule, with the records that it rests on."""

    name: str
    state: str
    because: str
    entries: tuple[int, ...]
    weakest: str | None
    does_not_prove: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Return whether a sentence that relies on it is true now."""
        return self.state == "satisfied"

    def to_json(self) -> dict[str, Any]:
        """Return it as front ends show it."""
        return {
            "name": self.name,
            "state": self.state,
            "because": self.because,
            "entries": list(self.entries),
            "weakest_strength": self.weakest,
            "does_not_prove": list(self.does_not_prove),
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Carried:
    """A document that the management body approved; who holds the document can tell by the salt that it is this one."""

    digest: str
    salt: str  # empty where the side record was erased
    entry: int  # of the decision


class Stand(StrEnum):
    """Where a policy type stands."""

    NONE = "none"
    IN_FORCE = "in-force"
    CONTRADICTED = "contradicted"  # a sentence in it is no longer true
    OVERDUE = "overdue"  # its review


@dataclass(frozen=True, slots=True)
class Adopted:
    """A version that somebody signed for."""

    entry: int
    recorded_at: datetime
    version: str
    approved_by: str
    next_review: date | None
    resolution: int | None  # the entry of the decision of the management body in which this very document was shown
    observed: tuple[Standing, ...]

    @property
    def contradicted(self) -> tuple[Standing, ...]:
        """Return what it says and what is not so now."""
        return tuple(one for one in self.observed if not one.holds)


@dataclass(frozen=True, slots=True)
class Shown:
    """A type of policy, what asks for it, and the version in force."""

    name: str
    title: str
    asked_by: tuple[str, ...]  # ids of rules
    adopted: Adopted | None
    stand: Stand
