"""The Evidence pages: what the log holds, each statement with a proof that the browser checks again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from ringfence.frontends.http import require, still_allowed
from ringfence.frontends.live import HEARTBEAT, STREAM, published
from ringfence.frontends.page import Pages, View
from ringfence.kernel import identifier
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger import custody, exhibit
from ringfence.ledger.custody import ExportedHead
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.exhibit import Cosignature, Material, Row
from ringfence.ledger.explorer.model import Neighbours
from ringfence.ledger.model import AnchoredHead, LoggedStatement, SignedCheckpoint, Witness
from ringfence.ledger.succession import LogKeys

AT_ONCE = 40  # new entries that an open page is told of in a second
MAX_STREAMS = 64  # open pages that are told of new entries; each costs one small query a second
MAX_SHARE = 32  # of one tenant: who holds a key of one must not turn the pages of all others off
POLL_SECONDS = 1.0
HEARTBEAT_POLLS = 15  # a comment every 15 s, so that nothing on the way drops a silent stream
STREAM_POLLS = 300  # a stream ends after 5 minutes: the browser returns, and its session is checked again

Reader = Annotated[Person, Depends(require("evidence.read"))]
Type = Annotated[str, Query(max_length=128)]
Entry = Annotated[int, Path(ge=0, lt=MAX_ENTRY)]
Keeping = Callable[[Tenant, Digest], str]  # until when details stay, or since when they are gone; "" where unknown


class LedgerView(Protocol):
    """What the Evidence pages read of the ledger."""

    def keys(self) -> LogKeys:
        """Return every pair of keys that the log has had."""
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

    def head(self) -> SignedCheckpoint:
        """Return the newest published checkpoint; raise `NotFound` while the log is empty."""
        ...

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Return the RFC 6962 path from `entry` to the root of the first `size` entries."""
        ...


@dataclass(slots=True)
class Streams:
    """How many pages of each tenant are being told of new entries."""

    open: Counter[Tenant] = field(default_factory=Counter)

    def require_room(self, tenant: Tenant) -> None:
        """Return where one more stream of a tenant may open; raise `Unavailable` where not."""
        if self.open[tenant] >= MAX_SHARE or self.open.total() >= MAX_STREAMS:
            raise Unavailable("too many pages are live already; this one is not, reload it to see what is new")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The Evidence pages over one ledger."""

    ledger: LedgerView
    pages: Pages
    vouched: Callable[[int], datetime | None] = lambda _: None  # since when another party vouches for an entry
    keeping: Keeping = lambda _tenant, _commitment: ""
    covering: Callable[[int], AnchoredHead | None] = lambda _: None  # the head by which an entry is best proven
    beside: Callable[[LoggedStatement], Neighbours] = lambda _: Neighbours()
    known: Callable[[], Sequence[Witness]] = tuple
    streams: Streams = field(default_factory=Streams)

    def record(self, request: Request, caller: Person, entry: int) -> Response:
        """Return the record card of one statement."""
        logged = self.logged(caller, entry)
        issuer, statement = logged.issuer, logged.envelope.statement
        covering = self.covering(entry)
        outside = (*self.heads(caller.tenant), *custody.vouched_head(covering))
        row = exhibit.row(logged, outside, auto=True)
        question = f"What does entry {entry} say, and who could have made it up?"
        return self.pages.respond(
            request,
            "record.html",
            View(question, f"ringfence ledger prove {entry}", caller),
            row=row,
            size=published(self.ledger),
            statement=statement,
            issuer=issuer,
            ended_at=issuer.ends_at if issuer else None,
            vouched=logged.vouched,
            details=exhibit.details(logged),
            keeping=self.keeping(caller.tenant, statement.details) if statement.details else "",
            payload=logged.envelope.payload.decode(),
            covering=covering,
            beside=self.beside(logged),
            could_have=custody.could_have_made_up(logged, row.proof.anchored, self.vouched(entry)),
        )

    def heads(self, tenant: Tenant) -> tuple[ExportedHead, ...]:
        """Return the heads that have left this installation."""
        return custody.exported_heads(self.ledger.statements(tenant, (custody.HEAD_EXPORTED,)))

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
        anchored = self.covering(entry)
        head = anchored.head if anchored else self.ledger.head()
        path = self.ledger.inclusion_proof(entry, head.checkpoint.size)
        return Material(logged, head, path, self.ledger.keys().of(head.checkpoint.size), self._cosigned(anchored))

    def _cosigned(self, anchored: AnchoredHead | None) -> tuple[Cosignature, ...]:
        return exhibit.cosignatures(anchored.anchors.cosignatures, self.known()) if anchored else ()

    def arrived(self, tenant: Tenant, after: int, predicate: PredicateName | None = None) -> list[Row]:
        """Return the statements that came after entry `after`, oldest first."""
        found = self.ledger.page(tenant, limit=AT_ONCE, predicates=(predicate,) if predicate else None)
        return [exhibit.row(logged, ()) for logged in reversed(found) if logged.entry > after]

    def events(self, row: Row) -> str:
        """Return what an open page is told of one new statement."""
        html = self.pages.fragment("evidence_rows.html", "fresh", row)
        words = self.pages.fragment("evidence_rows.html", "announced", row)
        return _event("entry", html, row.entry) + _event("announce", words, row.entry)

    async def stream(
        self,
        tenant: Tenant,
        after: int,
        predicate: PredicateName | None = None,
        allowed: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[str]:
        """Yield server-sent events until the stream has lived long enough, or who reads it may not any more."""
        self.streams.open[tenant] += 1
        try:
            yield "retry: 2000\n\n"
            for poll in range(STREAM_POLLS):
                rows = await run_in_threadpool(self.arrived, tenant, after, predicate)
                if rows and not await run_in_threadpool(allowed):
                    return
                for row in rows:
                    after = row.entry
                    yield self.events(row)
                if poll % HEARTBEAT_POLLS == 0:
                    yield f"{HEARTBEAT}\n\n"
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self.streams.open[tenant] -= 1


def _event(name: str, html: str, entry: int) -> str:
    data = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"id: {entry}\nevent: {name}\n{data}\n"


def router(
    ledger: LedgerView,
    pages: Pages,
    vouched: Callable[[int], datetime | None] = lambda _: None,
    keeping: Keeping = lambda _tenant, _commitment: "",
    covering: Callable[[int], AnchoredHead | None] = lambda _: None,
    beside: Callable[[LoggedStatement], Neighbours] = lambda _: Neighbours(),
    known: Callable[[], Sequence[Witness]] = tuple,
) -> APIRouter:
    """Return the Evidence pages, their downloads and their live part."""
    routes = APIRouter(include_in_schema=False)
    evidence = Evidence(ledger, pages, vouched, keeping, covering, beside, known)

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
        request: Request,
        caller: Reader,
        predicate: Type = "",
        after: Annotated[int, Query(ge=-1, le=MAX_ENTRY)] = -1,
        last_event_id: Annotated[int | None, Header(ge=-1, le=MAX_ENTRY)] = None,
    ) -> Response:
        evidence.streams.require_room(caller.tenant)
        wanted = identifier.predicate_name(predicate) if predicate else None
        since = after if last_event_id is None else last_event_id
        allowed = partial(still_allowed, request, "evidence.read")
        events = evidence.stream(caller.tenant, since, wanted, allowed)
        return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
