"""The list of evidence with its search, its exports, and the page of sources."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from ringfence.frontends import page
from ringfence.frontends.http import require
from ringfence.frontends.live import STREAM, Heads, published
from ringfence.frontends.page import AsOf, Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger import custody, exhibit
from ringfence.ledger.api import shown
from ringfence.ledger.custody import ExportedHead
from ringfence.ledger.explorer import asking
from ringfence.ledger.explorer.api import Words, address, as_csv, newest
from ringfence.ledger.explorer.model import UNTRUSTED, Found
from ringfence.ledger.explorer.model import Query as Search
from ringfence.ledger.explorer.ports import Log
from ringfence.ledger.explorer.service import Explorer
from ringfence.ledger.model import AnchoredHead, LoggedStatement, Standing

PER_PAGE = 40  # rows: keeps the page below 100 KB
LIST = "/evidence"

Reader = Annotated[Person, Depends(require("evidence.read"))]
Covering = Callable[[int], AnchoredHead | None]  # the newest head over an entry that somebody anchored


class LedgerView(Log, Heads, Protocol):
    """What the list reads of the ledger."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements recorded until `at`, in log order."""
        ...


def asked(words: Annotated[Words, Depends()], as_of: AsOf = None) -> Search:
    """Parse the address of the list; times are given as people write them."""
    return words.query(words.times(lambda text: page.instant(text.strip())), page.instant(as_of))


Parts = Annotated[Search, Depends(asked)]


@dataclass(frozen=True, slots=True)
class Lists:
    """The pages over one log."""

    explorer: Explorer
    ledger: LedgerView
    pages: Pages
    covering: Covering = lambda _: None

    def listed(self, request: Request, caller: Person, query: Search) -> Response:
        """Return the list."""
        found = self.explorer.search(caller.tenant, query, PER_PAGE)
        tally, heads = self.ledger.tally(caller.tenant, at=query.at), self.heads(caller, query.at)
        rows = [exhibit.row(logged, heads) for logged in found.statements]
        terminal = f"{asking.terminal(query)} --limit {PER_PAGE}"  # without it, the terminal shows more of them
        return self.pages.respond(
            request,
            "evidence.html",
            View("What can we show, and does it hold?", terminal, caller, query.at, scrubs=True),
            shown=rows,
            found=found,
            query=query,
            tally=tally,
            total=sum(tally.values()),
            size=published(self.ledger),
            older="" if found.older is None else address(replace(query, before=found.older), LIST),
            live=_live(query, rows[0].entry if rows else -1),
            **self._around(request, query),
        )

    def _around(self, request: Request, query: Search) -> dict[str, Any]:
        """Return what stands beside the list: choices of the form, and the same list elsewhere."""
        api = address(query, f"{str(request.base_url).rstrip('/')}/api/v1/ledger/statements")
        return {
            "strengths": [strength.text for strength in Strength],
            "standings": [UNTRUSTED, *(standing.value for standing in Standing)],
            "roles": [role.value for role in KeyRole],
            "csv": address(newest(query), f"{LIST}.csv"),
            "json": address(newest(query), f"{LIST}.json"),
            "curl": f"curl -H 'Authorization: Bearer TOKEN' '{api}'",
        }

    def heads(self, caller: Person, at: datetime | None) -> tuple[ExportedHead, ...]:
        """Return the heads that had left this installation at a time."""
        exported = self.ledger.statements(caller.tenant, (custody.HEAD_EXPORTED,), at=at)
        return (*custody.exported_heads(exported), *custody.vouched_head(self.covering(0), at))

    def sources(self, request: Request, caller: Person, at: datetime | None) -> Response:
        """Return the page of sources."""
        found = self.explorer.sources(caller.tenant, at)
        command = f"ringfence ledger sources --as-of {to_text(at)}" if at else "ringfence ledger sources"
        view = View("Who states something here, and is anything missing?", command, caller, at, scrubs=True)
        return self.pages.respond(request, "sources.html", view, sources=found)


def router(explorer: Explorer, ledger: LedgerView, pages: Pages, covering: Covering = lambda _: None) -> APIRouter:
    """Return the list, its exports and the page of sources."""
    routes = APIRouter(include_in_schema=False)
    lists = Lists(explorer, ledger, pages, covering)

    @routes.get(LIST)
    def listed(request: Request, caller: Reader, query: Parts) -> Response:
        return lists.listed(request, caller, query)

    @routes.get(f"{LIST}.csv")
    def table(caller: Reader, query: Parts) -> Response:
        return as_csv(explorer.everything(caller.tenant, query))

    @routes.get(f"{LIST}.json")
    def document(caller: Reader, query: Parts) -> Response:
        return _as_json(explorer.everything(caller.tenant, query), query)

    @routes.get("/sources")
    def sources(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        return lists.sources(request, caller, page.instant(as_of))

    return routes


def _as_json(found: Found, query: Search) -> Response:
    document = {
        "query": asking.parts(newest(query)),
        "behind": found.reach.behind,
        "statements": [shown(logged) for logged in found.statements],
    }
    headers = {"content-disposition": 'attachment; filename="statements.json"', "cache-control": "no-store"}
    return JSONResponse(document, headers=headers)


def _live(query: Search, entry: int) -> str:
    """Return where new entries are announced; nothing where the page shows the past, or what a search found."""
    if query.narrowed or query.at is not None or query.before is not None:
        return ""
    parts = {"after": str(entry)} | ({"predicate": query.predicate} if query.predicate else {})
    return f"{STREAM}?{urlencode(parts)}"
