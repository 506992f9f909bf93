"""The board of threats: each with its controls as they are computed, and with what of the tenant it touches. Pure.

Its word is never that something is protected: controls show evidence, and a threat has no list of controls that is
complete.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.obligations.results import APART, Board, ControlResult, State, together
from ringfence.obligations.threats.ports import Asset, Bound
from ringfence.obligations.threats.register import AssetKind, Register, Threat

# Which threat the families of the suite that ships try out; another suite's families stand under Red team only.
FAMILIES = {
    "direct-override": "T07",
    "encoded": "T07",
    "eu-languages": "T07",
    "indirect-mail": "T08",
    "prompt-leak": "T15",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One threat as it stands for one tenant."""

    threat: Threat
    controls: tuple[ControlResult, ...]
    assets: tuple[Asset, ...]
    bounds: tuple[Bound, ...]

    @property
    def counted(self) -> tuple[ControlResult, ...]:
        """Return the controls of which something is asked now."""
        return tuple(one for one in self.controls if one.verdict.state not in APART)

    @property
    def satisfied(self) -> int:
        """Return how many of those are satisfied."""
        return sum(one.verdict.state is State.SATISFIED for one in self.counted)

    @property
    def state(self) -> State:
        """Return the word for all its controls together: satisfied only where every one that counts is."""
        return together(self.controls)

    @property
    def here(self) -> bool:
        """Tell whether the tenant holds something that it touches, as far as a register can say."""
        return bool(self.assets) or any(one.kind is AssetKind.ORGANISATION for one in self.threat.touches)


def rows(register: Register, board: Board, assets: Sequence[Asset], bounds: Sequence[Bound]) -> list[Row]:
    """Return every threat of the register."""
    known = {result.control.id: result for result in board.controls}
    return [
        Row(
            threat,
            tuple(known[name] for name in threat.controls if name in known),
            tuple(asset for asset in assets if asset.kind in {one.kind for one in threat.touches}),
            tuple(bound for bound in bounds if FAMILIES.get(bound.family) == threat.id),
        )
        for threat in register.threats
    ]


def by_stage(register: Register, found: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Group rows by the first stage at which each threat arises; `every stage` holds those of all of them."""
    listed = list(found)
    whole = [row for row in listed if len(row.threat.stages) == len(register.stages)]
    groups = [
        (stage, [row for row in listed if row not in whole and row.threat.stages[0] == stage])
        for stage in register.stages
    ]
    return [(stage, group) for stage, group in [*groups, ("every stage", whole)] if group]
