"""Where a tenant stands with each code of a framework, by our mapping; and what one list asks that another does not."""

from dataclasses import dataclass

from ringfence.obligations.frameworks.crosswalk import Framework, paths
from ringfence.obligations.model import Catalog
from ringfence.obligations.results import APART, Board, ControlResult, State, together

LIMIT = "By our own mapping; it is no assessment by whoever publishes or certifies against this list."


@dataclass(frozen=True, slots=True)
class Row:
    """One code, and what of ours points at it."""

    code: str
    title: str
    controls: tuple[ControlResult, ...]
    threats: tuple[str, ...]

    @property
    def state(self) -> State | None:
        """Return the state of all its controls together; None where no control of ours points at it."""
        return together(self.controls) if self.controls else None

    @property
    def satisfied(self) -> int:
        """Return how many of its controls are satisfied."""
        return sum(one.verdict.state is State.SATISFIED for one in self.controls)

    @property
    def counted(self) -> int:
        """Return of how many of its controls something is asked now."""
        return sum(one.verdict.state not in APART for one in self.controls)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One framework as it stands for one tenant."""

    framework: Framework
    rows: tuple[Row, ...]

    @property
    def mapped(self) -> tuple[Row, ...]:
        """Return the codes at which a control of ours points."""
        return tuple(row for row in self.rows if row.controls)

    @property
    def missing(self) -> tuple[Row, ...]:
        """Return the codes at which none does."""
        return tuple(row for row in self.rows if not row.controls)

    def count(self, state: State) -> int:
        """Return how many codes are in a state."""
        return sum(row.state == state for row in self.rows)  # == : a template names it by its word

    @property
    def controls(self) -> frozenset[str]:
        """Return every control that points at one of the codes."""
        return frozenset(one.control.id for row in self.rows for one in row.controls)


def coverage(framework: Framework, catalog: Catalog, board: Board) -> Coverage:
    """Return where the tenant of `board` stands with a framework."""
    known, found = {one.control.id: one for one in board.controls}, paths(framework, catalog)
    rows = []
    for code, title in framework.codes.items():
        path = found.get(code)
        controls = tuple(known[name] for name in path.controls if name in known) if path else ()
        rows.append(Row(code, title, controls, path.threats if path else ()))
    return Coverage(framework, tuple(rows))


def beyond(one: Coverage, other: Coverage) -> list[Row]:
    """Return what `one` asks and `other` does not: codes none of whose controls points at anything in `other`.

    Codes without a control of ours are left out: nothing can be said about them.
    """
    return [row for row in one.mapped if other.controls.isdisjoint(part.control.id for part in row.controls)]
