"""The Today page: what needs a person now, and by when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends import page
from ringfence.frontends.http import require
from ringfence.frontends.live import STREAM, published
from ringfence.frontends.page import AsOf, Pages, View
from ringfence.frontends.waiting import Waiting, most_pressing
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.custody import HEAD_EXPORTED, ExportedHead, exported_heads
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.obligations.model import Board, ControlResult, Standing, State, Support

YESTERDAY = timedelta(hours=24)
SOON = timedelta(days=14)
SHOWN_WAITING = 20
SHOWN_SUPPORTS = 8  # statements listed per requirement; the record of each leads to the rest
_WORST_FIRST = (State.NOT_SATISFIED, State.PENDING, State.SATISFIED, State.UPCOMING, State.NOT_APPLICABLE)
_COUNTED = frozenset({State.SATISFIED, State.PENDING})

Reader = Annotated[Person, Depends(require("status.read"))]


class Boards(Protocol):
    """Compute the status of every control."""

    def board(self, tenant: Tenant, at: datetime | None = None) -> Board:
        """Return the board of a tenant now, or as it stood at `at`."""
        ...


class Log(Protocol):
    """What the page reads of the log itself."""

    def head(self) -> SignedCheckpoint:
        """Return the newest published checkpoint; raise `NotFound` while the log is empty."""
        ...

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements recorded until `at`, in log order."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A control that was not red a day ago, and is now."""

    result: ControlResult
    before: State


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the log is fixed by heads that lie outside this installation."""

    until: datetime | None
    size: int  # entries of the published log
    covered: int  # of these, how many the largest exported head covers

    @property
    def operator_only(self) -> int:
        """Return how many entries rest on the operator's word alone."""
        return max(self.size - self.covered, 0)


def worst_first(controls: Iterable[ControlResult]) -> list[ControlResult]:
    """Order controls by how much they need a person."""
    return sorted(controls, key=lambda result: (_WORST_FIRST.index(result.verdict.state), result.control.id))


def turned_red(now: Board, before: Board) -> list[Turn]:
    """Return the controls that are not satisfied now and were something else before."""
    states = {result.control.id: result.verdict.state for result in before.controls}
    return [
        Turn(result, states[result.control.id])
        for result in now.controls
        if result.verdict.state is State.NOT_SATISFIED
        if states.get(result.control.id, State.NOT_SATISFIED) is not State.NOT_SATISFIED
    ]


def changing(board: Board, within: timedelta = SOON) -> list[tuple[datetime, ControlResult]]:
    """Return the controls that hold now and change by themselves `within` that time, soonest first."""
    found = [
        (change, result)
        for result in board.controls
        if result.verdict.state in _COUNTED
        if (change := result.verdict.next_change) and change <= board.as_of + within
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].control.id))


def newest(result: ControlResult) -> datetime | None:
    """Return when the newest statement was recorded that a result rests on."""
    return max((support.recorded_at for support in supports(result)), default=None)


def supports(result: ControlResult) -> list[Support]:
    """Return every statement that a result rests on."""
    return [support for requirement in result.requirements for support in requirement.rests_on]


def anchor(board: Board, heads: Iterable[ExportedHead], size: int) -> Anchor:
    """Return how far the log is anchored outside."""
    covered = max((head.size for head in heads), default=0)
    return Anchor(board.anchored_outside_until, size, covered)


def duties(result: ControlResult) -> dict[Standing, list[str]]:
    """Return the provisions behind a control, by the tenant's standing towards each."""
    found: dict[Standing, list[str]] = {}
    for duty in result.duties:
        when = f" (from {duty.applies_from})" if duty.applies_from and duty.standing is Standing.UPCOMING else ""
        found.setdefault(duty.standing, []).append(f"{duty.obligation.act} {duty.obligation.provision}{when}")
    return found


def standings(board: Board) -> dict[Standing, int]:
    """Count the tenant's obligations by standing; provisions that only define something are none."""
    return {
        standing: sum(duty.standing is standing for duty in board.duties)
        for standing in Standing
        if standing is not Standing.BASIS
    }


@dataclass(frozen=True, slots=True)
class Today:
    """The Today page over the boards and the log."""

    boards: Boards
    log: Log
    pages: Pages
    clock: Clock
    waiting: Waiting

    def respond(self, request: Request, caller: Person, as_of: datetime | None) -> Response:
        """Return the page."""
        at, size = as_of or self.clock.now(), published(self.log)
        board = self.boards.board(caller.tenant, as_of)
        before = self.boards.board(caller.tenant, at - YESTERDAY)
        heads = exported_heads(self.log.statements(caller.tenant, (HEAD_EXPORTED,), at=as_of))
        terminal = "ringfence status" + (f" --as-of {to_text(as_of)}" if as_of else "")
        return self.pages.respond(
            request,
            "today.html",
            View("What needs a person now, and by when?", terminal, caller, as_of, scrubs=True),
            waiting=None if as_of else most_pressing(self.waiting.waiting(caller.tenant)),
            shown=SHOWN_WAITING,
            board=board,
            controls=worst_first(board.controls),
            counts={state.value: board.count(state) for state in State},
            turned=turned_red(board, before),
            yesterday=before.as_of,
            changes=changing(board),
            anchor=anchor(board, heads, size),
            standings=standings(board),
            duties=duties,
            newest=newest,
            limit=SHOWN_SUPPORTS,
            live=None if as_of else f"{STREAM}?after={size - 1}",
        )


def router(boards: Boards, log: Log, pages: Pages, clock: Clock, waiting: Waiting) -> APIRouter:
    """Return the Today page."""
    routes = APIRouter(include_in_schema=False)
    today = Today(boards, log, pages, clock, waiting)

    @routes.get("/")
    def show(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        return today.respond(request, caller, page.instant(as_of))

    return routes
