"""The status over HTTP. There is one route, and it only reads: nobody can set a status."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.obligations import sheet
from ringfence.obligations.service import Status

MAX_TIME = 40  # the longest ISO 8601 form with microseconds and an offset has 32 characters

Faults = Callable[[Tenant], list[dict[str, str]]]  # what of this installation does not work now


def router(service: Status, faults: Faults = lambda _: []) -> APIRouter:
    """Return the routes of the status; `faults` stand beside the controls and change none of them."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/status")
    def status(
        caller: Annotated[Person, Depends(require("status.read"))],
        as_of: Annotated[str | None, Query(max_length=MAX_TIME)] = None,
        control: Annotated[str | None, Query(max_length=16)] = None,
    ) -> dict[str, Any]:
        """Compute the status of every control, or of one, now or as of another time."""
        at = instant(as_of) if as_of is not None else None
        document = sheet.document(service.board(caller.tenant, at), control=control)
        return document | {"not_working": faults(caller.tenant) if at is None else None}

    return routes


def instant(text: str) -> datetime:
    """Parse a time that a person gives: ISO 8601 with a zone; raise `MalformedInput` for anything else."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedInput(_ADVICE.format(text[:MAX_TIME])) from error
    raise MalformedInput(_ADVICE.format(text[:MAX_TIME]))


_ADVICE = "{!r} is not a time with a zone; write it as 2026-11-22T09:00:00Z"
