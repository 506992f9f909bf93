"""The page `/_parts`: every part of the console in all its states, in both themes, for whoever works on it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View
from ringfence.frontends.places import Tab
from ringfence.kernel.actor import Person

_NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # fixed, so that two pictures of the page can be compared
_STATES = ("satisfied", "pending", "not-satisfied", "upcoming", "not-applicable")
_DIGEST = "3f8a0d1b" + "00" * 24 + "c4e19d72"

Reader = Annotated[Person, Depends(require("console.read"))]


def samples() -> Mapping[str, Any]:
    """Return made-up facts that bring every part into all its states."""
    return {
        "sample_now": _NOW,
        "states": _STATES,
        "proofs": [_proof(12, _NOW - timedelta(hours=3)), _proof(13, None)],
        "verdicts": [
            ("verified", "tick", "checked in this browser"),
            ("failed", "cross", "check failed: the path does not lead to the root of the checkpoint"),
            ("unavailable", "pending", "not checked in this browser: it has no Ed25519"),
        ],
        "links": [
            {"href": "#", "text": "Entry 12", "note": "dataset.sealed, observed, 3 d ago"},
            {"href": "", "text": "Entry 9 counts for nothing: its key was revoked", "note": ""},
        ],
        "pairs": [("role", "operator"), ("custody", "file-plain"), ("sequence", "7 of this issuer")],
        "deadlines": [_NOW + timedelta(hours=4, minutes=10), _NOW - timedelta(hours=2)],
        "events": [
            {"at": _NOW - timedelta(minutes=5), "text": "Dataset sealed", "href": "#"},
            {"at": _NOW + timedelta(days=9), "text": "Key management goes stale", "href": ""},
        ],
        "rows": [(9, "dataset.sealed", "operator", False), (10, "log.heartbeat", "control-plane", True)],
        "changes": [(" ", "controls:"), ("-", "  freshness_days: 365"), ("+", "  freshness_days: 92")],
        "tabs": (Tab("#here", "Here"), Tab("#beside", "Beside it")),
        "lines": ["09:00:01 integrated 3 statements", "09:00:01 published checkpoint of size 13"],
    }


def _proof(entry: int, anchored: datetime | None) -> Mapping[str, Any]:
    return {
        "entry": entry,
        "address": "/_parts/no-proof",
        "digest": _DIGEST,
        "strength": "observed",
        "anchored": anchored,
        "auto": False,
    }


def router(pages: Pages) -> APIRouter:
    """Return the page of parts."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/_parts")
    def show(request: Request, caller: Reader) -> Response:
        view = View("How does each part look, in every state?", "ringfence --help", caller)
        return pages.respond(request, "all_parts.html", view, **samples())

    return routes
