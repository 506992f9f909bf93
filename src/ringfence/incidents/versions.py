"""The values that an awareness has had: later ones stand beside earlier ones, and none is taken away."""

from collections.abc import Iterable
from datetime import datetime

from ringfence.incidents.model import Awareness, Event
from ringfence.kernel.identifier import PersonId


def of(versions: Iterable[Awareness], customer: str = "", *, breach: bool = False) -> list[Awareness]:
    """Return every version of one awareness."""
    return [version for version in versions if (version.customer, version.breach) == (customer, breach)]


def current(versions: Iterable[Awareness], customer: str = "", *, breach: bool = False) -> Awareness | None:
    """Return the version in force."""
    found = of(versions, customer, breach=breach)
    return found[-1] if found else None


def earliest(versions: Iterable[Awareness], customer: str = "", *, breach: bool = False) -> datetime | None:
    """Return the last value that was in force: what a later decision can bring forward, never push back."""
    values = [version.value for version in of(versions, customer, breach=breach) if version.value]
    return values[-1] if values else None


def move(
    versions: list[Awareness], value: datetime | None, event: Event, customer: str, why: str, *, breach: bool = False
) -> None:
    """Put a value in force; never a later one than was in force before."""
    known = earliest(versions, customer, breach=breach)
    wanted = min((at for at in (known, value) if at is not None), default=None)
    now = current(versions, customer, breach=breach)
    if now is None or now.value != wanted:
        versions.append(Awareness(wanted, event.at, PersonId(event.by), why, customer, breach))


def withdraw(versions: list[Awareness], event: Event, customer: str, why: str, *, breach: bool = False) -> None:
    """End the value in force, if there is one."""
    now = current(versions, customer, breach=breach)
    if now is not None and now.value is not None:
        versions.append(Awareness(None, event.at, PersonId(event.by), why, customer, breach))


def corrected(known: tuple[Awareness, ...], value: datetime, event: Event, why: str) -> tuple[Awareness, ...]:
    """Replace the incident's value, and that of every customer who had the same."""
    old = current(known)
    versions = list(known)
    for customer, breach in dict.fromkeys((version.customer, version.breach) for version in known):
        now = current(known, customer, breach=breach)
        if now and old and now.value == old.value:
            versions.append(Awareness(value, event.at, PersonId(event.by), why, customer, breach))
    return tuple(versions)
