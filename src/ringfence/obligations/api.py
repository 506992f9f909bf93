"""The status over HTTP. There is one route, and it only reads: nobody can set a status."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import Tenant
from ringfence.obligations import sheet
from ringfence.obligations.service import Status

Faults = Callable[[Tenant], list[dict[str, str]]]  # what of this installation does not work now


def router(service: Status, faults: Faults = lambda _: []) -> APIRouter:
    """Return the routes of the status; `faults` stand beside the controls and change none of them."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/status")
    def status(
        caller: Annotated[Person, Depends(require("status.read"))],
        as_of: AsOf = None,
        control: Annotated[str | None, Query(max_length=16)] = None,
    ) -> dict[str, Any]:
        """Compute the status of every control, or of one, now or as of another time."""
        at = instant(as_of)
        document = sheet.document(service.board(caller.tenant, at), control=control)
        return document | {"not_working": faults(caller.tenant) if at is None else None}

    return routes
