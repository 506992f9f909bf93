"""Provisions by act and by the tenant's standing, each with the controls that serve it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringfence.kernel.errors import NotFound, UsageError
from ringfence.obligations.provisions import ACTS
from ringfence.obligations.results import APART, OPEN, Board, ControlResult, Duty, Standing, State, together

NO_STATE = "none"
STATES = (*(state.value for state in State), NO_STATE)
# Provisions whose content reaches a vendor through its customer's contract (law reference 0.4 no. 4, 1.11).
_CLAUSES = ("ir2690-5.1.4", "gdpr-28.3", "dora-30.2", "dora-30.3", "ai-25.4")


class Column(StrEnum):
    """Where a provision stands on the page."""

    BINDING = "binding"
    UPCOMING = "upcoming"
    UNDETERMINED = "undetermined"
    BY_CONTRACT = "by-contract"
    NOT_OURS = "not-ours"
    BASIS = "basis"


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision with the tenant's standing and the controls that serve it, by our mapping."""

    duty: Duty
    controls: tuple[ControlResult, ...]

    @property
    def column(self) -> Column:
        """Return its column: a clause that does not bind ourselves can still come by contract."""
        standing = self.duty.standing
        if standing is Standing.NOT_OURS and is_clause(self.duty.obligation.id):
            return Column.BY_CONTRACT
        return Column(standing.value)

    @property
    def state(self) -> State | None:
        """Return the state of its controls together; None where nothing is asked, or no control serves it."""
        asks = self.duty.standing not in (Standing.BASIS, Standing.NOT_OURS)
        return together(self.controls) if self.controls and asks else None

    @property
    def satisfied(self) -> int:
        """Return how many of its controls are satisfied."""
        return sum(one.verdict.state is State.SATISFIED for one in self.controls)

    @property
    def counted(self) -> int:
        """Return of how many of its controls something is asked now."""
        return sum(one.verdict.state not in APART for one in self.controls)


def is_clause(obligation: str) -> bool:
    """Tell whether a provision is about what a customer's contract with its vendor says."""
    return any(obligation == name or obligation.startswith((f"{name}.", f"{name}-")) for name in _CLAUSES)


def provisions(board: Board) -> list[Provision]:
    """Return every provision of the catalogue, in its order."""
    serving: dict[str, list[ControlResult]] = {}
    for result in board.controls:
        for name in result.control.obligations:
            serving.setdefault(name, []).append(result)
    return [Provision(duty, tuple(serving.get(duty.obligation.id, ()))) for duty in board.duties]


def provision(board: Board, name: str) -> Provision:
    """Return one provision; raise `NotFound`."""
    for found in provisions(board):
        if found.duty.obligation.id == name:
            return found
    raise NotFound(f"there is no provision {name[:60]!r}; they are named as in nis2-21.2.g")


def chosen(found: Iterable[Provision], *, act: str = "", column: str = "", state: str = "") -> list[Provision]:
    """Return those of one act, one column and one state of their controls; what is empty leaves nothing out.

    Raises:
        UsageError: there is no such act, column or state; `none` is that of a provision without a control.
    """
    for what, word, words in (("act", act, ACTS), ("standing", column, tuple(Column)), ("state", state, STATES)):
        if word and word not in words:
            raise UsageError(f"there is no {what} {word[:40]!r}; there are {', '.join(words)}")
    return [
        one
        for one in found
        if not act or one.duty.obligation.act == act
        if not column or one.column.value == column
        if not state or (one.state.value if one.state else NO_STATE) == state
    ]


def tally(found: Sequence[Provision]) -> Mapping[str, Mapping[Column, int]]:
    """Count provisions by act and column."""
    counts = {act: dict.fromkeys(Column, 0) for act in ACTS}
    for one in found:
        row = counts.setdefault(one.duty.obligation.act, dict.fromkeys(Column, 0))
        row[one.column] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Reach:
    """An open control, and how many provisions that bind, or will, it serves."""

    result: ControlResult
    binding: int
    upcoming: int


def farthest(board: Board, most: int) -> list[Reach]:
    """Return the open controls that serve the most provisions: done once, they count there."""
    found = [
        Reach(
            result,
            sum(duty.standing is Standing.BINDING for duty in result.duties),
            sum(duty.standing is Standing.UPCOMING for duty in result.duties),
        )
        for result in board.controls
        if result.verdict.state in OPEN
    ]
    reaching = [one for one in found if one.binding or one.upcoming]
    return sorted(reaching, key=lambda one: (-one.binding, -one.upcoming, one.result.control.id))[:most]


def by_column(found: Iterable[Provision]) -> dict[Column, list[Provision]]:
    """Group provisions by column, in the order of the columns."""
    groups: dict[Column, list[Provision]] = {column: [] for column in Column}
    for one in found:
        groups[one.column].append(one)
    return {column: group for column, group in groups.items() if group}
