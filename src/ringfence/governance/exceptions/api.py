"""Exceptions over HTTP: list, ask, approve, end."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.frontends.page import AsOf, instant
from ringfence.governance.exceptions import shown
from ringfence.governance.exceptions.model import exception_id
from ringfence.governance.exceptions.service import Exceptions
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput

Reader = Annotated[Person, Depends(require("status.read"))]
Asker = Annotated[Person, Depends(require("exception.request"))]


def router(exceptions: Exceptions) -> APIRouter:
    """Return the routes of exceptions."""
    routes = APIRouter(tags=["exceptions"])

    @routes.get("/exceptions")
    def listed(caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """List every exception, now or as of another time."""
        at = instant(as_of)
        now = at or exceptions.desk.clock.now()
        return {"exceptions": [shown.exception(one, now) for one in exceptions.all(caller.tenant, at)]}

    @routes.get("/exceptions/{exception}")
    def one(exception: str, caller: Reader) -> dict[str, Any]:
        """Show one exception."""
        return shown.exception(exceptions.one(caller.tenant, exception_id(exception)), exceptions.desk.clock.now())

    @routes.post("/exceptions", status_code=201)
    def ask(body: PostedStatement, caller: Asker) -> dict[str, Any]:
        """Ask for an exception; nothing is excepted until another person signs."""
        return {"statement": exceptions.request(caller, *body.parsed()).to_json()}

    @routes.post("/exceptions/{exception}/approvals", status_code=201)
    def approve(
        exception: str, body: PostedStatement, caller: Annotated[Person, Depends(require("exception.approve"))]
    ) -> dict[str, Any]:
        """Take another person's approval, signed by passkey."""
        envelope, opening = body.parsed()
        if opening is not None:
            raise MalformedInput("an approval has no details", source="opening")
        done = exceptions.approve(caller, exception_id(exception), envelope)
        return {"exception": exception, "statement": done.to_json()}

    @routes.post("/exceptions/{exception}/ends", status_code=201)
    def end(exception: str, body: PostedStatement, caller: Asker) -> dict[str, Any]:
        """End an exception before its time, or take a request back."""
        done = exceptions.end(caller, exception_id(exception), *body.parsed())
        return {"exception": exception, "statement": done.to_json()}

    return routes
