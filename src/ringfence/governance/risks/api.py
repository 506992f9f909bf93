"""The risk register over HTTP: list, show, and take what people signed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.frontends.page import AsOf, instant
from ringfence.governance.risks import shown
from ringfence.governance.risks.model import risk_id
from ringfence.governance.risks.service import Risks
from ringfence.kernel.actor import Person

Reader = Annotated[Person, Depends(require("status.read"))]
Changer = Annotated[Person, Depends(require("risk.change"))]


def router(risks: Risks) -> APIRouter:
    """Return the routes of the register."""
    routes = APIRouter(tags=["risks"])

    @routes.get("/risks")
    def listed(caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """List every risk, with the counts and the heat map, now or as of another time."""
        at = instant(as_of)
        return shown.register(risks.all(caller.tenant, at), at.date() if at else risks.today())

    @routes.get("/risks/names")
    def names(caller: Reader) -> dict[str, Any]:  # noqa: ARG001 - the question is open to readers only
        """Return what a risk can name: the controls and threats of the rules."""
        return {"controls": sorted(risks.known.controls), "threats": sorted(risks.known.threats)}

    @routes.get("/risks/{risk}")
    def one(risk: str, caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """Show one risk."""
        at = instant(as_of)
        return shown.risk(risks.one(caller.tenant, risk_id(risk), at), at.date() if at else risks.today())

    @routes.post("/risks", status_code=201)
    def enter(body: PostedStatement, caller: Changer) -> dict[str, Any]:
        """Enter risks that the caller signed: all of them, or none."""
        return {"statement": risks.register(caller, *body.parsed()).to_json()}

    @routes.post("/risks/{risk}/treatments", status_code=201)
    def treat(risk: str, body: PostedStatement, caller: Changer) -> dict[str, Any]:
        """Take a signed decision about a risk."""
        return _done(risk, risks.treat(caller, risk_id(risk), *body.parsed()))

    @routes.post("/risks/{risk}/reviews", status_code=201)
    def review(risk: str, body: PostedStatement, caller: Changer) -> dict[str, Any]:
        """Take what the caller found who looked again."""
        return _done(risk, risks.review(caller, risk_id(risk), *body.parsed()))

    @routes.post("/risks/{risk}/acceptances", status_code=201)
    def accept(
        risk: str, body: PostedStatement, caller: Annotated[Person, Depends(require("risk.accept"))]
    ) -> dict[str, Any]:
        """Take management's acceptance of what is left of a risk, signed by passkey."""
        return _done(risk, risks.accept(caller, risk_id(risk), *body.parsed()))

    return routes


def _done(risk: str, done: Any) -> dict[str, Any]:
    return {"risk": risk, "statement": done.to_json()}
