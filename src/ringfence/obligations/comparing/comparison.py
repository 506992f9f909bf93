"""Hold rules against rules, and a status by the one against the status by the other. Pure."""

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.comparing.model import Comparison, Moved, Other
from ringfence.obligations.comparing.outline import MAX_ENTRIES
from ringfence.obligations.difference import Told, compared
from ringfence.obligations.model import Catalog
from ringfence.obligations.results import Board, ControlResult


def comparison(other: Other, ours: Told, here: Board, there: Board | None = None) -> Comparison:
    """Return what differs; `ours` has as much of our rules as is told of the other ones.

    Raises:
        MalformedInput: the other rules say that they are ours, and are not.
    """
    found = compared(other.told, ours)
    if found and found.old == found.new:
        raise MalformedInput(f"it says that it is version {found.old}, which counts here, and its rules are other ones")
    return Comparison(other, found, here, there, moved(there, here) if there else ())


def moved(there: Board, here: Board) -> tuple[Moved, ...]:
    """Return the controls whose state is another one, in the order of their ids."""
    before, after = _by_id(there), _by_id(here)
    found = (_moved(before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys()))
    return tuple(one for one in found if one is not None)


def check_extent(catalog: Catalog) -> None:
    """Raise `MalformedInput` where rules are so many that computing a status by them takes too long."""
    most = max(len(catalog.controls), len(catalog.obligations), len(catalog.requirements), len(catalog.national))
    if most > MAX_ENTRIES:
        raise MalformedInput(f"rules have at most {MAX_ENTRIES} entries of one kind; these have {most}")


def _by_id(board: Board) -> dict[str, ControlResult]:
    return {result.control.id: result for result in board.controls}


def _moved(there: ControlResult | None, here: ControlResult | None) -> Moved | None:
    shown = here or there
    if shown is None or (there and here and there.verdict.state is here.verdict.state):
        return None
    return Moved(shown.control, there.verdict if there else None, here.verdict if here else None)
