"""Acts over HTTP: prepare one in a terminal, sign it in the browser, read here what came of it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.identity.acting.enrolling import Enrolling
from ringfence.identity.acting.model import PreparedAct
from ringfence.identity.acting.service import ActDesk
from ringfence.identity.signin.service import owner_of
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text

Signer = Annotated[Person, Depends(require("act.sign"))]


class Prepared(BaseModel):
    """A draft, and what it is about."""

    model_config = ConfigDict(extra="forbid", strict=True)
    draft: dict[str, Any]
    place: str = Field(max_length=200, pattern=r"^[A-Za-z0-9._:/-]*$")


def page_of(act: PreparedAct) -> str:
    """Return where an act is signed."""
    return f"/sign/{act.id}"


def shown(act: PreparedAct) -> dict[str, Any]:
    """Return what a front end shows of an act."""
    return {
        "act": act.id,
        "page": page_of(act),
        "until": to_text(act.until),
        "state": "waiting" if act.outcome is None else "signed",
        "answer": None if act.outcome is None else json.loads(act.outcome),
    }


def router(desk: ActDesk, enrolling: Enrolling) -> APIRouter:
    """Return the routes of acts."""
    routes = APIRouter(tags=["acts"])

    @routes.post("/acts", status_code=201)
    def prepare(body: Prepared, caller: Signer) -> dict[str, Any]:
        """Keep an act that the caller is about to sign in the browser."""
        return shown(desk.prepare(caller, drafts.from_json(body.draft), body.place))

    @routes.get("/acts/{act}")
    def one(act: str, caller: Signer) -> dict[str, Any]:
        """Say whether an act was signed, and what came of it."""
        return shown(desk.read(caller, act))

    @routes.get("/passkeys")
    def passkeys(caller: Signer) -> dict[str, Any]:
        """List the caller's passkeys, and which of them sign."""
        signing = {passkey.id for passkey in desk.signers(caller)}
        known = enrolling.passkeys.of(owner_of(caller))
        return {
            "passkeys": [
                {"passkey": one.id, "name": one.name, "key": one.key, "signs": one.id in signing} for one in known
            ]
        }

    @routes.get("/passkeys/{passkey}/enrolment")
    def draft(passkey: str, caller: Signer) -> dict[str, Any]:
        """Return what the caller signs, with another key, so that the passkey signs."""
        return drafts.to_json(enrolling.draft(caller, passkey))

    @routes.post("/passkeys/{passkey}/enrolment", status_code=201)
    def enrol(
        passkey: str, body: PostedStatement, caller: Annotated[Person, Depends(require("passkey.sign"))]
    ) -> dict[str, Any]:
        """Take the signed enrolment of a passkey."""
        envelope, _ = body.parsed()
        return {"passkey": passkey, "statement": enrolling.enrol(caller, passkey, envelope).to_json()}

    return routes
