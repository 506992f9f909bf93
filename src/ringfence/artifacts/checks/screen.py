"""The screens for poison over rows that are all at hand: which of them each one flags, or why it cannot tell. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from ringfence.artifacts.checks import duplicates, features, labels, outliers, triggers
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.features import WIDEST, Facts
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Check, Row
from ringfence.artifacts.checks.policy import Policy
from ringfence.artifacts.checks.textual import described

LONGEST = 2**14  # characters of a cell, and so words of a text, that are looked at; a longer item is not screened


class Kind(StrEnum):
    """What is looked for, in the words of `dataset.poison_screen`."""

    DUPLICATE = "duplicate"
    LABEL_FLIP = "label-flip"
    OUTLIER = "outlier"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Flagged:
    """What one screen says of rows, by their places.

    Attributes:
        places: of the suspicious ones.
        unseen: of those that it did not look at, or not as a whole.
        reason: why it could not tell anything; empty where it ran.
    """

    places: frozenset[int] = frozenset()
    unseen: frozenset[int] = frozenset()
    reason: str = ""


def flag(kind: Kind, rows: Sequence[Row], roles: Roles, policy: Policy) -> Flagged:
    """Run one screen."""
    return screens(rows, roles, policy)(kind)


def screens(rows: Sequence[Row], roles: Roles, policy: Policy) -> Callable[[Kind], Flagged]:
    """Return what runs one screen after the other; what two of them look at is gathered once."""
    numbered = _numbered(rows)
    gathered = cache(lambda: features.gather(numbered, roles, LONGEST))
    return lambda kind: _SCREENS[kind](numbered, roles, policy, gathered)


def _numbered(rows: Sequence[Row]) -> list[Row]:
    """Give each row its place as its number, by which a screen names it; a copy is one across splits, too."""
    return [row._replace(file="", split="", number=place) for place, row in enumerate(rows)]


def _duplicates(rows: Sequence[Row], roles: Roles, policy: Policy, _: "_Gathered") -> Flagged:
    found = Likeness(roles, policy.seed, policy.number(Check.DUPLICATES, "similarity"))
    for row in rows:
        found.see(row)
    if found.candidates():
        for place, row in enumerate(rows):
            found.see_again(place, row)
    if not found.near_whole:
        return Flagged(reason="near duplicates were not looked for in every row: there are too many candidates")
    return Flagged(frozenset(duplicates.repeated(found, found.near())))


def _label_flips(rows: Sequence[Row], roles: Roles, policy: Policy, gathered: "_Gathered") -> Flagged:
    facts = gathered()
    found = facts if isinstance(facts, str) else labels.contradicted(facts, roles, policy.seed)
    if isinstance(facts, str) or isinstance(found, str):
        return Flagged(reason=str(found))
    flagged = frozenset(facts.rows[place].number for place, _, _ in found.rows)
    return Flagged(flagged, _left_out(rows, facts, roles))


def _triggers(rows: Sequence[Row], roles: Roles, policy: Policy, gathered: "_Gathered") -> Flagged:
    facts = gathered()
    if isinstance(facts, str):
        return Flagged(reason=facts)
    found, _, _ = triggers.locked(facts, policy.number(Check.TRIGGERS, "rate"), policy.seed)
    flagged = frozenset(facts.rows[place].number for lock in found for place in lock.rows)
    return Flagged(flagged, _left_out(rows, facts, roles))


def _left_out(rows: Sequence[Row], facts: Facts, roles: Roles) -> frozenset[int]:
    """Return the rows without a label, or with one that hardly any other has; and those with texts beside the text."""
    apart = roles.features()
    wide = (
        row.number
        for row in rows
        if any(isinstance(cell, str) and len(cell) > WIDEST and name not in apart for name, cell in row.cells.items())
    )
    return frozenset(range(len(rows))) - {row.number for row in facts.rows} | frozenset(wide)


def _outliers(rows: Sequence[Row], roles: Roles, policy: Policy, _: "_Gathered") -> Flagged:
    found = outliers.outlying(described(rows, roles), roles, policy.number(Check.OUTLIERS, "z"), policy.seed)
    return Flagged(reason=found) if isinstance(found, str) else Flagged(frozenset(found[0]))


_Gathered = Callable[[], Facts | str]
_SCREENS: Mapping[Kind, Callable[[Sequence[Row], Roles, Policy, _Gathered], Flagged]] = {
    Kind.DUPLICATE: _duplicates,
    Kind.LABEL_FLIP: _label_flips,
    Kind.OUTLIER: _outliers,
    Kind.TRIGGER: _triggers,
}
