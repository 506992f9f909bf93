"""Search over HTTP: the same parts, by the same names, as the page's address and the command line."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text, to_text
from ringfence.ledger.api import shown
from ringfence.ledger.explorer import asking, export
from ringfence.ledger.explorer.model import Found, Series, Source, Sources
from ringfence.ledger.explorer.model import Query as Search
from ringfence.ledger.explorer.service import Explorer

MAX_ENTRY = 2**53
Reader = Annotated[Person, Depends(require("evidence.read"))]
Word = Annotated[str, Query(max_length=300)]


def asked(
    subject: Word = "",
    predicate: Word = "",
    since: Word = "",
    until: Word = "",
    actor: Word = "",
    strength: Word = "",
    standing: Word = "",
    demo: Word = "",
    before: Annotated[int | None, Query(ge=0, le=MAX_ENTRY)] = None,
    as_of: Word = "",
) -> Search:
    """Parse the parts of a search; times are given as the API prints them."""
    words = {"subject": subject, "predicate": predicate, "actor": actor}
    words |= {"strength": strength, "standing": standing, "demo": demo}
    times = {name: from_text(text) for name, text in (("since", since), ("until", until)) if text}
    at: datetime | None = from_text(as_of) if as_of else None
    return asking.query(words, before=before, at=at, times=times)


Parts = Annotated[Search, Depends(asked)]


def router(explorer: Explorer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["ledger"])

    @routes.get("/ledger/statements")
    def statements(caller: Reader, query: Parts, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        """List the statements that match, newest first."""
        found = explorer.search(caller.tenant, query, limit)
        return {
            "query": asking.parts(query),
            "count": found.count.number,
            "or_more": found.count.capped,
            "older": found.older,
            **_reach(found),
            "statements": [shown(logged) for logged in found.statements],
        }

    @routes.get("/ledger/statements.csv")
    def exported(caller: Reader, query: Parts) -> Response:
        """Return every statement that matches as CSV."""
        return as_csv(explorer.everything(caller.tenant, query))

    @routes.get("/ledger/sources")
    def sources(caller: Reader, as_of: Word = "") -> dict[str, Any]:
        """List the keys that stated something, with the gaps of their sequences."""
        return listed(explorer.sources(caller.tenant, from_text(as_of) if as_of else None))

    return routes


def as_csv(found: Found) -> Response:
    """Return a found list as a file."""
    headers = {"content-disposition": 'attachment; filename="statements.csv"', "cache-control": "no-store"}
    return Response(export.to_csv(found.statements), media_type="text/csv; charset=utf-8", headers=headers)


def address(query: Search, path: str) -> str:
    """Return the address of a search below `path`."""
    parts = asking.parts(query)
    return f"{path}?{urlencode(parts)}" if parts else path


def newest(query: Search) -> Search:
    """Return the same search from its first page on."""
    return replace(query, before=None)


def listed(sources: Sources) -> dict[str, Any]:
    """Return sources as every front end shows them."""
    return {
        "sources": [_source(source) for source in sources],
        "tenant": _series(sources.tenant) if sources.tenant else None,
        "unnumbered": sources.unnumbered,
        "gaps": sources.gaps,
        "indexed": sources.reach.entries,
        "behind": sources.reach.behind,
    }


def _reach(found: Found) -> dict[str, Any]:
    return {"indexed": found.reach.entries, "behind": found.reach.behind} if found.reach.size else {"behind": False}


def _source(source: Source) -> dict[str, Any]:
    issuer = source.issuer
    return {
        "key": source.key,
        "role": issuer.role.value if issuer else None,
        "person": issuer.person if issuer else None,
        **_series(source.series),
        "last_entry": source.last_entry,
        "last_at": to_text(source.last_at),
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "statements": series.count,
        "first": series.first,
        "last": series.last,
        "gaps": [str(gap) for gap in series.gaps],
        "more_gaps": series.more_gaps,
    }
