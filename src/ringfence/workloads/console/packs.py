"""The pages of packs: make one, check it here, see it fail once one byte of a copy is another, take it elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.live import proof
from ringfence.frontends.page import Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.service import Ledger
from ringfence.reports.model import REPORT_EXPORTED, Failure
from ringfence.reports.service import Packs, draft_of
from ringfence.reports.verify import verify
from ringfence.workloads.console.signing import PLACE

SHOWN_FAILURES = 8
_DIGEST = b'"sha256":"'
_STATEMENT = b'"statement":{'
Exporter = Annotated[Person, Depends(require("report.pack"))]
Entry = Annotated[int, Path(ge=0, le=MAX_ENTRY)]
NAME = "evidence.pack"
Composed = Callable[[Tenant, int], bytes]  # the pack that the report at an entry closes
HandedTo = Callable[[Tenant], Mapping[str, str]]  # customers, by the digest of the report of their pack


@dataclass(frozen=True, slots=True)
class Made:
    """A pack that was made, by the statement that closes it."""

    entry: int
    recorded_at: datetime
    records: int
    openings: str
    customer: str  # for whom it was made; empty: of everything
    proof: dict[str, object]


@dataclass(frozen=True, slots=True)
class Flip:
    """A copy of a pack in which one byte is another."""

    data: bytes
    position: int
    before: str
    after: str


def flipped(pack: bytes) -> Flip:
    """Return a copy of a pack with one digit of one record's digest changed: of the record in the middle."""
    lines = pack.splitlines(keepends=True)
    told = [number for number, line in enumerate(lines) if _STATEMENT in line and _DIGEST in line]
    if not told:
        raise InternalError("the pack shows no record in full")
    chosen = told[len(told) // 2]
    within = lines[chosen].index(_DIGEST, lines[chosen].index(_STATEMENT)) + len(_DIGEST) + 7
    position = sum(map(len, lines[:chosen])) + within
    before = pack[position : position + 1]
    after = b"0" if before != b"0" else b"1"
    return Flip(pack[:position] + after + pack[position + 1 :], position, before.decode(), after.decode())


@dataclass(frozen=True, slots=True)
class PackPages:
    """The pages over the packs of an installation."""

    packs: Packs
    composed: Composed
    handed: HandedTo
    ledger: Ledger
    pages: Pages
    prepare: Prepare
    signs: Callable[[Person], bool]

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the packs that were made."""
        handed = self.handed(caller.tenant)
        made = [
            Made(
                entry=logged.entry,
                recorded_at=logged.recorded_at,
                records=int(logged.envelope.statement.claims.get("records", 0)),
                openings=str(logged.envelope.statement.claims.get("openings", "")),
                customer=handed.get(str(logged.envelope.digest), ""),
                proof=proof(logged.entry, logged.envelope.digest, logged.envelope.statement.issuance.strength.text),
            )
            for logged in reversed(self.ledger.statements(caller.tenant, (REPORT_EXPORTED,)))
        ]
        view = View("What was handed out, and would it hold elsewhere?", f"ringfence report pack -o {NAME}", caller)
        return self.pages.respond(request, "packs.html", view, made=made, signs=self.signs(caller))

    def make(self, caller: Person) -> Response:
        """Prepare the report that closes a pack of everything, for the person's signature."""
        draft = draft_of(self.packs.preview(caller.tenant).to_json())
        return RedirectResponse(self.prepare(caller, draft, PLACE), status_code=303)

    def one(self, request: Request, caller: Person, entry: int, *, flip: bool) -> Response:
        """Return the outcome of checking a pack, or a copy of it in which a byte is another."""
        pack = self.composed(caller.tenant, entry)
        itself = verify(pack, self.packs.trust, source=NAME)
        changed = flipped(pack) if flip else None
        outcome = verify(changed.data, self.packs.trust, source=NAME) if changed else itself
        view = View("Does this pack hold, for somebody who trusts nobody here?", "", caller)
        return self.pages.respond(
            request,
            "pack.html",
            view,
            entry=entry,
            size=len(pack),
            flip=changed,
            itself=itself,
            outcome=outcome,
            failures=_named_first(outcome.failures)[:SHOWN_FAILURES],
            more=max(0, len(outcome.failures) - SHOWN_FAILURES),
            name=NAME,
        )


def _named_first(failures: tuple[Failure, ...]) -> list[Failure]:
    return sorted(failures, key=lambda failure: failure.record is None)


def router(shows: PackPages) -> APIRouter:
    """Return the pages of packs."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/packs")
    def listed(request: Request, caller: Exporter) -> Response:
        return shows.listed(request, caller)

    @routes.post("/packs")
    def make(caller: Exporter) -> Response:
        return shows.make(caller)

    @routes.get("/packs/{entry}")
    def one(
        request: Request, entry: Entry, caller: Exporter, flip: Annotated[str, Query(max_length=1)] = ""
    ) -> Response:
        return shows.one(request, caller, entry, flip=flip == "1")

    @routes.get("/packs/{entry}/file")
    def file(entry: Entry, caller: Exporter) -> Response:
        headers = {"content-disposition": f'attachment; filename="{NAME}"', "cache-control": "no-store"}
        return Response(shows.composed(caller.tenant, entry), media_type="text/plain", headers=headers)

    return routes
