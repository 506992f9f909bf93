"""The Evidence pages: what the log holds, each statement with a proof that the browser checks again."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from ringfence.frontends import page
from ringfence.frontends.http import require
from ringfence.frontends.live import STREAM, published
from ringfence.frontends.page import AsOf, Pages, View
from ringfence.kernel import identifier
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger import custody, exhibit
from ringfence.ledger.custody import ExportedHead
from ringfence.ledger.exhibit import Material, Row
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint

PER_PAGE = 40  # rows: keeps the page below 100 KB
MAX_STREAMS = 32  # open pages that are told of new entries; each costs one small query a second
POLL_SECONDS = 1.0
HEARTBEAT_POLLS = 15  # a comment every 15 s, so that nothing on the way drops a silent stream
STREAM_POLLS = 300  # a stream ends after 5 minutes: the browser returns, and its session is checked again
MAX_ENTRY = 2**53

Reader = Annotated[Person, Depends(require("evidence.read"))]
Type = Annotated[str | None, Query(max_length=128)]
Before = Annotated[int | None, Query(ge=0, le=MAX_ENTRY)]
Entry = Annotated[int, Path(ge=0, lt=MAX_ENTRY)]


class LedgerView(Protocol):
    """What the Evidence pages read of the ledger."""

    @property
    def log_keys(self) -> tuple[str, str]:
        """Return the log's two verifier keys: Ed25519, ML-DSA-44."""
        ...

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements below entry `before`, recorded until `at`, newest first."""
        ...

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[LoggedStatement]:
        """Return a tenant's statements recorded until `at`, in log order."""
        ...

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> Mapping[PredicateName, int]:
        """Return how many statements of each type were recorded until `at`."""
        ...

    def head(self) -> SignedCheckpoint:
        """Return the newest published checkpoint; raise `NotFound` while the log is empty."""
        ...

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Return the RFC 6962 path from `entry` to the root of the first `size` entries."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the list asks for."""

    predicate: PredicateName | None
    before: int | None
    at: datetime | None

    @property
    def predicates(self) -> tuple[PredicateName, ...] | None:
        """Return the filter in the form that the ledger takes."""
        return (self.predicate,) if self.predicate else None

    @property
    def terminal(self) -> str:
        """Return the command that lists the same."""
        options = [f"--predicate {self.predicate}"] if self.predicate else []
        options += [f"--before {self.before}"] if self.before is not None else []
        options += [f"--as-of {to_text(self.at)}"] if self.at else []
        return " ".join(["ringfence ledger list", *options])

    def older(self, entry: int) -> str:
        """Return the address of the page below `entry`."""
        query = {"before": entry, "predicate": self.predicate, "as_of": to_text(self.at) if self.at else None}
        return "/evidence?" + urlencode({name: value for name, value in query.items() if value is not None})

    def live(self, newest: int) -> str:
        """Return where new entries are announced; nothing where the page shows the past."""
        if self.at is not None or self.before is not None:
            return ""
        query = {"after": str(newest)} | ({"predicate": self.predicate} if self.predicate else {})
        return f"{STREAM}?{urlencode(query)}"


def asked(predicate: Type = None, before: Before = None, as_of: AsOf = None) -> Asked:
    """Parse the address of the list."""
    return Asked(identifier.predicate_name(predicate) if predicate else None, before, page.instant(as_of))


@dataclass(slots=True)
class Streams:
    """How many pages are being told of new entries."""

    open: int = 0

    def require_room(self) -> None:
        """Return where one more stream may open; raise `Unavailable` where not."""
        if self.open >= MAX_STREAMS:
            raise Unavailable(f"{MAX_STREAMS} pages are live already; this one is not, reload it to see what is new")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The Evidence pages over one ledger."""

    ledger: LedgerView
    pages: Pages
    streams: Streams = field(default_factory=Streams)

    def listed(self, request: Request, caller: Person, query: Asked) -> Response:
        """Return the list."""
        found = self.ledger.page(
            caller.tenant, before=query.before, limit=PER_PAGE + 1, predicates=query.predicates, at=query.at
        )
        heads, tally = self.heads(caller.tenant, query.at), self.ledger.tally(caller.tenant, at=query.at)
        shown = [exhibit.row(logged, heads) for logged in found[:PER_PAGE]]
        return self.pages.respond(
            request,
            "evidence.html",
            View("What can we show, and does it hold?", query.terminal, caller, query.at, scrubs=True),
            shown=shown,
            tally=tally,
            total=sum(tally.values()),
            matching=tally.get(query.predicate, 0) if query.predicate else sum(tally.values()),
            predicate=query.predicate,
            size=published(self.ledger),
            older=query.older(shown[-1].entry) if len(found) > PER_PAGE else "",
            live=query.live(shown[0].entry if shown else -1),
        )

    def record(self, request: Request, caller: Person, entry: int) -> Response:
        """Return the record card of one statement."""
        logged = self.logged(caller, entry)
        issuer, statement = logged.issuer, logged.envelope.statement
        row = exhibit.row(logged, self.heads(caller.tenant), auto=True)
        question = f"What does entry {entry} say, and who could have made it up?"
        return self.pages.respond(
            request,
            "record.html",
            View(question, f"ringfence ledger prove {entry}", caller),
            row=row,
            size=published(self.ledger),
            statement=statement,
            issuer=issuer,
            details=exhibit.details(logged),
            payload=logged.envelope.payload.decode(),
            could_have=custody.could_have_made_up(logged, row.proof.anchored),
        )

    def heads(self, tenant: Tenant, at: datetime | None = None) -> tuple[ExportedHead, ...]:
        """Return the heads that had left this installation at `at`."""
        return custody.exported_heads(self.ledger.statements(tenant, (custody.HEAD_EXPORTED,), at=at))

    def logged(self, caller: Person, entry: int) -> LoggedStatement:
        """Return one statement of the caller's tenant, or raise `NotFound`."""
        found = self.ledger.page(caller.tenant, before=entry + 1, limit=1)
        if not found or found[0].entry != entry:
            raise NotFound(f"entry {entry} is not in the log, or is not one of your tenant's")
        return found[0]

    def material(self, caller: Person, entry: int) -> Material:
        """Return a statement with the newest head and its path; raise `Unavailable` before it is published."""
        logged, size = self.logged(caller, entry), published(self.ledger)
        if size <= entry:
            raise Unavailable(f"no published checkpoint covers entry {entry} yet; try again in a second")
        head = self.ledger.head()
        path = self.ledger.inclusion_proof(entry, head.checkpoint.size)
        return Material(logged, head, path, self.ledger.log_keys)

    def arrived(self, tenant: Tenant, after: int, query: Asked) -> list[Row]:
        """Return the statements that came after entry `after`, oldest first."""
        found = self.ledger.page(tenant, limit=PER_PAGE, predicates=query.predicates)
        return [exhibit.row(logged, ()) for logged in reversed(found) if logged.entry > after]

    def events(self, row: Row) -> str:
        """Return what an open page is told of one new statement."""
        html = self.pages.fragment("evidence_rows.html", "fresh", row)
        words = self.pages.fragment("evidence_rows.html", "announced", row)
        return _event("entry", html, row.entry) + _event("announce", words, row.entry)

    async def stream(self, tenant: Tenant, after: int, query: Asked) -> AsyncIterator[str]:
        """Yield server-sent events until the stream has lived long enough."""
        self.streams.open += 1
        try:
            yield "retry: 2000\n\n"
            for poll in range(STREAM_POLLS):
                for row in await run_in_threadpool(self.arrived, tenant, after, query):
                    after = row.entry
                    yield self.events(row)
                if poll % HEARTBEAT_POLLS == 0:
                    yield ": still here\n\n"
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self.streams.open -= 1


def _event(name: str, html: str, entry: int) -> str:
    data = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"id: {entry}\nevent: {name}\n{data}\n"


def router(ledger: LedgerView, pages: Pages) -> APIRouter:
    """Return the Evidence pages, their downloads and their live part."""
    routes = APIRouter(include_in_schema=False)
    evidence = Evidence(ledger, pages)

    @routes.get("/evidence")
    def listed(request: Request, caller: Reader, query: Annotated[Asked, Depends(asked)]) -> Response:
        return evidence.listed(request, caller, query)

    @routes.get("/evidence/{entry}")
    def record(request: Request, caller: Reader, entry: Entry) -> Response:
        return evidence.record(request, caller, entry)

    _downloads(routes, evidence)
    _live(routes, evidence)
    return routes


def _downloads(routes: APIRouter, evidence: Evidence) -> None:
    @routes.get("/evidence/{entry}/envelope.json")
    def envelope(caller: Reader, entry: Entry) -> Response:
        logged = evidence.logged(caller, entry)
        return Response(logged.envelope.data, media_type="application/json", headers=_saved(f"entry-{entry}.json"))

    @routes.get("/evidence/{entry}/statement.tlog-proof")
    def proof(caller: Reader, entry: Entry) -> Response:
        text = exhibit.tlog_proof(evidence.material(caller, entry))
        return Response(text, media_type="text/plain", headers=_saved(f"entry-{entry}.tlog-proof"))

    @routes.get("/evidence/{entry}/proof.json")
    def material(caller: Reader, entry: Entry) -> Response:
        document = exhibit.proof_document(evidence.material(caller, entry))
        return JSONResponse(document, headers={"cache-control": "no-store"})


def _saved(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


def _live(routes: APIRouter, evidence: Evidence) -> None:
    @routes.get(STREAM)
    def stream(
        caller: Reader,
        query: Annotated[Asked, Depends(asked)],
        after: Annotated[int, Query(ge=-1, le=MAX_ENTRY)] = -1,
        last_event_id: Annotated[int | None, Header(ge=-1, le=MAX_ENTRY)] = None,
    ) -> Response:
        evidence.streams.require_room()
        events = evidence.stream(caller.tenant, after if last_event_id is None else last_event_id, query)
        return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
