"""Search over HTTP: the same parts, by the same names, as the page's address and the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text, to_text
from ringfence.ledger.api import shown
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.explorer import asking, export
from ringfence.ledger.explorer.model import Found, Series, Source, Sources
from ringfence.ledger.explorer.model import Query as Search
from ringfence.ledger.explorer.service import Explorer

Reader = Annotated[Person, Depends(require("evidence.read"))]
Word = Annotated[str, Query(max_length=300)]


@dataclass(frozen=True, slots=True)
class Words:
    """The parts of a search as an address names them; as of when is asked beside it."""

    subject: Word = ""
    predicate: Word = ""
    since: Word = ""
    until: Word = ""
    actor: Word = ""
    strength: Word = ""
    standing: Word = ""
    demo: Word = ""
    before: Annotated[int | None, Query(ge=0, le=MAX_ENTRY)] = None

    def times(self, instant: Callable[[str], datetime | None]) -> dict[str, datetime]:
        """Return the times that are asked for, as `instant` parses them."""
        given = {"since": instant(self.since), "until": instant(self.until)}
        return {name: at for name, at in given.items() if at is not None}

    def query(self, times: Mapping[str, datetime], at: datetime | None) -> Search:
        """Return the search."""
        words = {"subject": self.subject, "predicate": self.predicate, "actor": self.actor}
        words |= {"strength": self.strength, "standing": self.standing, "demo": self.demo}
        return asking.query(words, before=self.before, at=at, times=times)


def asked(words: Annotated[Words, Depends()], as_of: Word = "") -> Search:
    """Parse the parts of a search; times are given as the API prints them."""
    return words.query(words.times(_instant), _instant(as_of))


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
        return listed(explorer.sources(caller.tenant, _instant(as_of)))

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


def _instant(text: str) -> datetime | None:
    return from_text(text) if text else None


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
