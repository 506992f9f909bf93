"""Opinions over HTTP; and everything that stands beside the computed status of controls."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ringfence.frontends.http import PostedStatement, require
from ringfence.frontends.page import AsOf, instant
from ringfence.governance.opinions import shown
from ringfence.governance.opinions.model import opinion_id
from ringfence.governance.opinions.service import Opinions
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import Tenant

Reader = Annotated[Person, Depends(require("status.read"))]
Auditor = Annotated[Person, Depends(require("opinion.give"))]
Control = Annotated[str | None, Query(max_length=16)]
Besides = Callable[[Tenant, datetime | None], Mapping[str, Any]]


def router(opinions: Opinions, besides: Besides) -> APIRouter:
    """Return the routes of opinions, and of what stands beside controls."""
    routes = APIRouter(tags=["opinions"])

    @routes.get("/opinions")
    def listed(caller: Reader, control: Control = None, as_of: AsOf = None) -> dict[str, Any]:
        """List the opinions on every control or on one, now or as of another time."""
        at = instant(as_of)
        now, found = at or opinions.desk.clock.now(), opinions.all(caller.tenant, at)
        return {"opinions": [shown.opinion(one, now) for one in found if control in (None, one.given.control)]}

    @routes.get("/opinions/about")
    def about(control: Annotated[str, Query(max_length=16)], caller: Reader) -> dict[str, Any]:
        """Return what an opinion on a control would be about now: its computed status, and the entries behind it."""
        found = opinions.on(caller.tenant, control)
        return {
            "control": control,
            "status": found.state,
            "rules": str(found.rules),
            "entries": list(found.entries),
        }

    @routes.post("/opinions", status_code=201)
    def give(body: PostedStatement, caller: Auditor) -> dict[str, Any]:
        """Take an auditor's opinion, signed by passkey."""
        return {"statement": opinions.give(caller, *body.parsed()).to_json()}

    @routes.post("/opinions/{opinion}/withdrawals", status_code=201)
    def withdraw(opinion: str, body: PostedStatement, caller: Auditor) -> dict[str, Any]:
        """Take back an opinion of the caller's own."""
        done = opinions.withdraw(caller, opinion_id(opinion), *body.parsed())
        return {"opinion": opinion, "statement": done.to_json()}

    @routes.get("/beside")
    def beside(caller: Reader, control: Control = None, as_of: AsOf = None) -> dict[str, Any]:
        """Return what people signed beside the computed status of controls; it changes none of them."""
        found = besides(caller.tenant, instant(as_of))
        return {"beside": {name: several for name, several in found.items() if control in (None, name)}}

    return routes
