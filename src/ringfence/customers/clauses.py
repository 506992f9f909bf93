"""Topics of contract clauses and what a customer's status brings along, read from the package. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ringfence.kernel.errors import NotFound
from ringfence.obligations import reading
from ringfence.obligations.model import Control

_FILE = "clauses.yaml"
_BY_ID = "controls"


@dataclass(frozen=True, slots=True)
class Ground:
    """Why some of our controls matter to a customer: a clause, or what it is itself under."""

    id: str
    act: str
    provision: str
    topic: str
    binds: str
    source: str
    reaches: Mapping[str, tuple[str, ...]]  # provisions by the act that controls map to, or ids of controls

    def reached(self, control: Control) -> tuple[str, ...]:
        """Return by which of its provisions a control is reached; nothing where it is not."""
        if control.id in self.reaches.get(_BY_ID, ()):
            return (control.id,)
        return tuple(
            provision
            for act, wanted in self.reaches.items()
            for provision in control.maps.get(act, ())
            if any(_within(provision, one) for one in wanted)
        )


@cache
def clauses() -> Mapping[str, Ground]:
    """Return every clause that can be ticked, by id, in the order of the file."""
    return _grounds("clauses")


@cache
def regimes() -> Mapping[str, Ground]:
    """Return what each regime of a customer brings along, by its id."""
    return _grounds("regimes")


def clause(name: str) -> Ground:
    """Return a clause by its id."""
    found = clauses().get(name)
    if found is None:
        raise NotFound(f"there is no clause {name[:40]!r}; there are {', '.join(clauses())}")
    return found


def _grounds(part: str) -> Mapping[str, Ground]:
    data = resources.files("ringfence.customers").joinpath("data", _FILE).read_bytes()
    rows = reading.parse(data, source=_FILE).value[part]
    return {row["id"]: _ground(row) for row in rows}


def _ground(row: Mapping[str, Any]) -> Ground:
    reaches = {act: tuple(wanted) for act, wanted in row["reaches"].items()}
    return Ground(row["id"], row["act"], row["provision"], row["topic"], row["binds"], row["source"], reaches)


def _within(provision: str, wanted: str) -> bool:
    """Tell whether a provision is, or is part of, a wanted one: 6.2.2(e) is of 6.2, and 6.10 is not of 6.1."""
    return provision.startswith(wanted) and not provision[len(wanted) :][:1].isdigit()
