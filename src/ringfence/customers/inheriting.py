"""Which of our controls a customer may rely on, and why. Reads our board and never changes it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.customers import clauses
from ringfence.customers.clauses import Ground
from ringfence.customers.model import Customer, Regime
from ringfence.obligations.model import Control
from ringfence.obligations.results import Board, ControlResult


@dataclass(frozen=True, slots=True)
class Why:
    """A ground, and the provisions of the control that it meets."""

    ground: Ground
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inherited:
    """A control that reaches a customer, with our own status of it as it is."""

    result: ControlResult
    why: tuple[Why, ...]


def grounds(customer: Customer) -> tuple[Ground, ...]:
    """Return what brings controls to a customer: its regimes first, then the clauses of its contract."""
    of_status = [clauses.regimes()[name] for name in customer.regimes if name in clauses.regimes()]
    # A clause that a later edition no longer has brings nothing; the page names it.
    of_contract = [clauses.clauses()[name] for name in customer.clauses if name in clauses.clauses()]
    return (*of_status, *of_contract)


def undetermined(customer: Customer) -> bool:
    """Tell whether more than the clauses may reach this customer: nobody has said what it is."""
    return Regime.UNKNOWN in customer.regimes


def reached(controls: Iterable[Control], customer: Customer) -> dict[str, tuple[Why, ...]]:
    """Return the controls that reach a customer, by id, each with its grounds."""
    found = {control.id: _why(control, grounds(customer)) for control in controls}
    return {name: why for name, why in found.items() if why}


def inherited(board: Board, customer: Customer) -> tuple[Inherited, ...]:
    """Return what a customer may rely on, in the order of the board."""
    found = reached((result.control for result in board.controls), customer)
    return tuple(Inherited(result, found[result.control.id]) for result in board.controls if result.control.id in found)


def _why(control: Control, known: Iterable[Ground]) -> tuple[Why, ...]:
    return tuple(Why(ground, by) for ground in known if (by := ground.reached(control)))
