"""The Today page: what needs a person now, and by when."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends import page
from ringfence.frontends.http import require
from ringfence.frontends.live import STREAM, published
from ringfence.frontends.page import AsOf, Pages, View
from ringfence.frontends.practice import BesideOf
from ringfence.frontends.waiting import Item, Waiting, most_pressing
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, to_text
from ringfence.ledger.custody import HEAD_EXPORTED, ExportedHead, exported_heads
from ringfence.ledger.model import SignedCheckpoint
from ringfence.obligations import domains, producers
from ringfence.obligations.ahead import ahead
from ringfence.obligations.forms import shelf
from ringfence.obligations.ports import Boards, Statements
from ringfence.obligations.results import APART, WORST_FIRST, Board, ControlResult, Standing, State, Support

YESTERDAY = timedelta(hours=24)
SOON = timedelta(days=14)
SHOWN_WAITING = 20
SHOWN_CONTROLS = 25
SHOWN_SUPPORTS = 8  # statements listed per requirement; the record of each leads to the rest
_COUNTED = frozenset({State.SATISFIED, State.PENDING})

Reader = Annotated[Person, Depends(require("status.read"))]


class FirstStep(Protocol):
    """A step of a young tenant, as the page shows it."""

    @property
    def words(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def done(self) -> bool: ...
    @property
    def next(self) -> bool: ...


First = Callable[[Person], Sequence[FirstStep]]


class Log(Statements, Protocol):
    """What the page reads of the log itself."""

    def head(self) -> SignedCheckpoint:
        """Return the newest published checkpoint; raise `NotFound` while the log is empty."""
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
    return sorted(controls, key=lambda result: (WORST_FIRST.index(result.verdict.state), result.control.id))


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


def scoped(result: ControlResult) -> list[int]:
    """Return the entries by which it is known whom the provisions behind a control bind."""
    return sorted({entry for duty in result.duties for entry in duty.entries})


def standings(board: Board) -> dict[Standing, int]:
    """Count the tenant's obligations by standing; provisions that only define something are none."""
    return {
        standing: sum(duty.standing is standing for duty in board.duties)
        for standing in Standing
        if standing is not Standing.BASIS
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """How the controls of one domain stand."""

    domain: str
    name: str
    states: Mapping[State, int]
    without_evidence: int  # of those that are not satisfied

    @property
    def denominator(self) -> int:
        """Return how many controls count."""
        return sum(count for state, count in self.states.items() if state not in APART)

    @property
    def apart(self) -> int:
        """Return how many controls are upcoming or not applicable."""
        return sum(self.states[state] for state in APART)


def tallies(board: Board) -> list[Tally]:
    """Count the controls of each domain by state, in the order of the catalogue."""
    return [
        Tally(
            domain,
            domains.named(domain),
            {state: sum(result.verdict.state is state for result in results) for state in State},
            sum(map(domains.without_evidence, results)),
        )
        for domain, results in domains.by_domain(board.controls).items()
    ]


def telling(board: Board) -> list[ControlResult]:
    """Return the controls that say more than that evidence is missing, worst first."""
    return worst_first(result for result in board.controls if not domains.quiet(result))


@dataclass(frozen=True, slots=True)
class Today:
    """The Today page and the pages of its domains, over the boards and the log."""

    boards: Boards
    log: Log
    pages: Pages
    clock: Clock
    waiting: Waiting
    inbox: Callable[[Person], Sequence[Item]] = lambda _person: ()  # what waits for one person's own signature
    first: First = lambda _person: ()  # the first steps of a young tenant
    beside: BesideOf = lambda _person: None  # the practice beside the own organisation

    def respond(self, request: Request, caller: Person, as_of: datetime | None) -> Response:
        """Return the page."""
        first = () if as_of else self.first(caller)
        at, size = as_of or self.clock.now(), published(self.log)
        board = self.boards.board(caller.tenant, as_of)
        before = self.boards.board(caller.tenant, at - YESTERDAY)
        heads = exported_heads(self.log.statements(caller.tenant, (HEAD_EXPORTED,), at=as_of))
        return self.pages.respond(
            request,
            "today.html",
            View("What needs a person now, and by when?", _terminal("", as_of), caller, as_of, scrubs=True),
            waiting=None if as_of else most_pressing(self.waiting.waiting(caller.tenant)),
            mine=() if as_of else self.inbox(caller),
            first=first,
            beside=self.beside(caller) if first else None,
            ahead=() if as_of else ahead(board, producers.by_type(shelf.types())),
            shown=SHOWN_WAITING,
            board=board,
            controls=telling(board),
            most=SHOWN_CONTROLS,
            tallies=tallies(board),
            counts={state.value: board.count(state) for state in State},
            turned=turned_red(board, before),
            yesterday=before.as_of,
            changes=changing(board),
            anchor=anchor(board, heads, size),
            standings=standings(board),
            **self._rows(as_of, size),
        )

    def respond_domain(self, request: Request, caller: Person, as_of: datetime | None, domain: str) -> Response:
        """Return the page of one domain; raise `NotFound` if there is none such."""
        name, size = domains.named(domain), published(self.log)
        board = self.boards.board(caller.tenant, as_of)
        terminal = _terminal(f" --domain {domain}", as_of)
        return self.pages.respond(
            request,
            "domain.html",
            View(f"Where does it stand: {name}?", terminal, caller, as_of, scrubs=True),
            board=board,
            tally=next(tally for tally in tallies(board) if tally.domain == domain),
            controls=worst_first(domains.by_domain(board.controls)[domain]),
            **self._rows(as_of, size),
        )

    def _rows(self, as_of: datetime | None, size: int) -> dict[str, Any]:
        """Return what rows of controls need, on either page."""
        return {
            "duties": duties,
            "scoped": scoped,
            "newest": newest,
            "without_evidence": domains.without_evidence,
            "runnable": producers.runnable,
            "limit": SHOWN_SUPPORTS,
            "when": kept_at(as_of),
            "live": None if as_of else f"{STREAM}?after={size - 1}",
        }


def _terminal(options: str, as_of: datetime | None) -> str:
    return f"ringfence status{options}" + (f" --as-of {to_text(as_of)}" if as_of else "")


def router(
    boards: Boards,
    log: Log,
    pages: Pages,
    clock: Clock,
    waiting: Waiting,
    inbox: Callable[[Person], Sequence[Item]] = lambda _person: (),
    first: First = lambda _person: (),
    beside: BesideOf = lambda _person: None,
) -> APIRouter:
    """Return the Today page and the pages of its domains."""
    routes = APIRouter(include_in_schema=False)
    today = Today(boards, log, pages, clock, waiting, inbox, first, beside)

    @routes.get("/")
    def show(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        return today.respond(request, caller, page.instant(as_of))

    @routes.get("/controls/{domain}")
    def of_domain(request: Request, caller: Reader, domain: str, as_of: AsOf = None) -> Response:
        return today.respond_domain(request, caller, page.instant(as_of), domain)

    return routes
