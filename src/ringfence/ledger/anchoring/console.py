"""The page of heads: every one, who vouches for it, and whether one continues another."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import UsageError
from ringfence.ledger import trust
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness
from ringfence.ledger.anchoring.service import Anchoring
from ringfence.ledger.anchors import timestamp
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.model import OPERATOR, Trust
from ringfence.ledger.succession import keys_of

PER_PAGE = 30
FORMAT = "urn:ringfence:console-consistency:v1"
LISTED = "ringfence ledger witness list"
Reader = Annotated[Person, Depends(require("ledger.read"))]
Size = Annotated[int, Query(ge=1, le=MAX_ENTRY)]
Before = Annotated[int | None, Query(ge=1, le=MAX_ENTRY)]


def router(anchoring: Anchoring, pages: Pages) -> APIRouter:
    """Return the page, its downloads, and what a browser needs to compare two heads itself."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/heads")
    def heads(request: Request, caller: Reader, before: Before = None) -> Response:
        """Return the heads with who cosigned and stamped each."""
        found = anchoring.page(before=before, limit=PER_PAGE + 1)
        return pages.respond(
            request,
            "heads.html",
            View("Who else vouches for this log, and until when?", LISTED, caller),
            heads=found[:PER_PAGE],
            newest=anchoring.log.head().checkpoint.size,
            older=found[PER_PAGE - 1].head.checkpoint.size if len(found) > PER_PAGE else None,
            first=before is None,
            until=anchoring.until(),
            quorum=anchoring.rows.quorum(),
            asked=[*map(_asked, anchoring.rows.witnesses()), *map(_asked, anchoring.rows.authorities())],
            conflicts=anchoring.conflicts(caller.tenant),
        )

    _downloads(routes, anchoring)
    return routes


def _asked(each: AskedWitness | AskedAuthority) -> dict[str, Any]:
    if isinstance(each, AskedWitness):
        kind, name = "witness", each.name
    else:
        kind, name = "time stamps", timestamp.subject_of(each.certificate)
    return {
        "kind": kind,
        "name": name,
        "outside": each.party != OPERATOR,
        "party": each.party,
        "active": each.active,
        "progress": each.progress,
    }


def _downloads(routes: APIRouter, anchoring: Anchoring) -> None:
    @routes.get("/heads/consistency.json")
    def consistency(caller: Reader, old: Size, new: Size) -> Response:  # noqa: ARG001
        """Return two heads and the proof between them; no verdict that a browser could believe."""
        if old > new:
            raise UsageError("the smaller head comes first: a log only grows")
        first, second = anchoring.log.checkpoint(old), anchoring.log.checkpoint(new)
        keys = keys_of(anchoring.trust)
        document = {
            "format": FORMAT,
            "old": first.note,
            "new": second.note,
            "proof": [base64.b64encode(item).decode() for item in anchoring.log.consistency_proof(old, new)],
            "logKeys": list(keys.of(old)),
            "newLogKeys": list(keys.of(new)),
        }
        return JSONResponse(document, headers={"cache-control": "no-store"})

    @routes.get("/heads/checkpoint")
    def checkpoint(caller: Reader, size: Size) -> Response:  # noqa: ARG001
        """Return a head as it was published, with the cosignatures that are known."""
        anchored = anchoring.anchored(size)
        lines = "".join(f"{line}\n" for line in anchored.anchors.cosignatures)
        return Response(anchored.head.note + lines, media_type="text/plain", headers=_saved(f"head-{size}.txt"))

    @routes.get("/heads/trust.json")
    def trusted(caller: Reader) -> Response:  # noqa: ARG001
        """Return a trust file with the newest head."""
        own = anchoring.known()
        head = anchoring.log.head().note
        kept = Trust(own.log, own.root, own.log_keys, (head,), successions=own.successions)
        return Response(trust.to_text(kept), media_type="application/json", headers=_saved("trust.json"))


def _saved(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
