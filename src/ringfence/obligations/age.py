"""Say which parts of the legal data nobody has looked up for too long; a warning, never a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ringfence.obligations.model import Catalog

LOOK_AGAIN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Aged:
    """The entries of one act that were last looked up more than `LOOK_AGAIN` ago."""

    act: str
    entries: int
    oldest: date

    @property
    def text(self) -> str:
        """Return the sentence for a person."""
        noun = "entry" if self.entries == 1 else "entries"
        return f"{self.act}: {self.entries} {noun}, the oldest not looked up since {self.oldest}"


def aged(catalog: Catalog, on: date) -> tuple[Aged, ...]:
    """Return the acts with entries older than `LOOK_AGAIN` on that day, the oldest first."""
    found: dict[str, list[date]] = {}
    for act, verified_on in _entries(catalog):
        if on - verified_on > LOOK_AGAIN:
            found.setdefault(act, []).append(verified_on)
    return tuple(
        sorted((Aged(act, len(days), min(days)) for act, days in found.items()), key=lambda a: (a.oldest, a.act))
    )


def _entries(catalog: Catalog) -> Iterator[tuple[str, date]]:
    for obligation in catalog.obligations.values():
        yield obligation.act, obligation.verified_on
    for state in catalog.national.values():
        yield f"national act of {state.code}", date.fromisoformat(state.verified_on)
