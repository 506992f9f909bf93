"""Decide whether a new seal is recorded."""

from dataclasses import dataclass

from ringfence.artifacts.model import Sealed
from ringfence.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Registration:
    """The outcome: a row to add, or a repetition that changes nothing."""

    sealed: Sealed
    repeated: bool


def register(sealed: Sealed, *, named: Sealed | None, known: Sealed | None) -> Registration:
    """Decide on `sealed`, given what is recorded under its name and under its dataset id.

    Raises:
        Conflict: the name belongs to another dataset, the dataset has another name, or the epoch is not the next.
    """
    if known is None:
        if named is not None:
            raise Conflict(f"the name {sealed.name} belongs to dataset {named.dataset}; seal a new epoch of that one")
        return _next(sealed, 0)
    if known.name != sealed.name:
        raise Conflict(f"this dataset is recorded under the name {known.name}, not {sealed.name}")
    if (known.epoch, known.seal) == (sealed.epoch, sealed.seal):
        return Registration(sealed, repeated=True)
    return _next(sealed, known.epoch)


def _next(sealed: Sealed, last: int) -> Registration:
    if sealed.epoch != last + 1:
        raise Conflict(f"the next epoch of {sealed.name} is {last + 1}, not {sealed.epoch}; seal again")
    return Registration(sealed, repeated=False)
