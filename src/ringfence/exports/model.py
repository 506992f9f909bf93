"""What an export is made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.duties import may_bind
from ringfence.obligations.model import Catalog, Obligation
from ringfence.obligations.results import APART, Board, ControlResult, RequirementResult

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """A rating of a risk: 1 to 5 each, their product, and the word of its band."""

    likelihood: int
    impact: int
    score: int
    level: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves of a risk: nothing that a person wrote, and nobody's name."""

    id: str
    open: bool
    rating: Scored
    controls: tuple[str, ...]
    threats: tuple[str, ...]
    review_on: date
    entries: tuple[int, ...]  # where it was signed, the oldest first
    treatment: str | None = None
    residual: Scored | None = None
    due_on: date | None = None
    done: bool = False
    accepted_until: date | None = None  # of an acceptance in force


@dataclass(frozen=True, slots=True)
class Facts:
    """One tenant's status at one time, and the signed statements that it rests on, by their entry."""

    catalog: Catalog
    board: Board
    statements: Mapping[int, LoggedStatement]
    log: LogOrigin
    risks: tuple[Leaving, ...] = ()  # the statements of each are among `statements`

    @property
    def assessed(self) -> tuple[ControlResult, ...]:
        """Return the controls of which something is asked now."""
        return tuple(result for result in self.board.controls if result.verdict.state not in APART)

    @property
    def binding(self) -> tuple[Obligation, ...]:
        """Return the obligations that bind the tenant, or may: what nobody determined is not left out."""
        return tuple(d.obligation for d in self.board.duties if may_bind(d, self.board.as_of))

    def counted(self, result: ControlResult) -> Iterator[RequirementResult]:
        """Yield the requirements of a control about which something can be said."""
        return (part for part in result.requirements if part.verdict.state not in APART)
