"""The page of keys: who held which one when, where it lay, what ended it, and what its holder could have made up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.signing.custody import Held
from ringfence.signing.service import Keys

Reader = Annotated[Person, Depends(require("evidence.read"))]
Stated = Callable[[Tenant, datetime | None], Mapping[KeyId, int]]  # how many statements each key signed

COULD = {
    KeyRole.ROOT: "anything: it can enrol another key in the place of every other",
    KeyRole.CONTROL_PLANE: "what the services say to have observed",
    KeyRole.LEDGER: "time and order of whatever no head outside covers, or a log without it",
    KeyRole.EMERGENCY: "what containment says to have done",
    KeyRole.GATEWAY: "answers and receipts of the gateway",
    KeyRole.OPERATOR: "acts of this one person",
}
WIDTH = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a key's life, in hundredths of the time that is shown."""

    x: float
    width: float
    custody: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A key as the page shows it."""

    held: Held
    bars: tuple[Bar, ...]
    stated: int | None  # None: this kind of key signs no statements
    could: str


def lines(history: Sequence[Held], stated: Mapping[KeyId, int], now: datetime) -> list[Line]:
    """Return the keys with a bar for each place where they lay, all on one scale that ends now."""
    start = min((held.since for held in history), default=now)
    return [Line(held, _bars(held, start, now), _stated(held, stated), COULD[held.role]) for held in history]


def _stated(held: Held, stated: Mapping[KeyId, int]) -> int | None:
    return None if held.role is KeyRole.LEDGER else stated.get(held.key, 0)


def _bars(held: Held, start: datetime, now: datetime) -> tuple[Bar, ...]:
    whole = (now - start).total_seconds() or 1.0
    end = min(held.until, now)

    def at(moment: datetime) -> float:
        return round(min(max((moment - start).total_seconds() / whole, 0.0), 1.0) * WIDTH, 2)

    ends = [*(kept.since for kept in held.kept[1:]), end]
    return tuple(
        Bar(at(kept.since), max(round(at(until) - at(kept.since), 2), 0.5), kept.custody, kept.since)
        for kept, until in zip(held.kept, ends, strict=True)
    )


def router(keys: Keys, stated: Stated, pages: Pages) -> APIRouter:
    """Return the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/keys")
    def held(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        """Return the keys as the log knew them at a time."""
        at = instant(as_of)
        now = at or keys.clock.now()
        command = f"ringfence key list --as-of {to_text(at)}" if at else "ringfence key list"
        found = lines(keys.history(caller.tenant, at), stated(caller.tenant, at), now)
        view = View("Who held which key, and what could they have made up?", command, caller, at, scrubs=True)
        return pages.respond(request, "keys.html", view, lines=found)

    return routes
