"""Ways in over HTTP: how I was recognised, and the reset of somebody who lost every way in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require, require_caller
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.service import SignIn, owner_of
from ringfence.kernel.actor import Caller, Person
from ringfence.kernel.identifier import person_id


def router(signin: SignIn) -> APIRouter:
    """Return the routes of signing in."""
    routes = APIRouter(tags=["identity"])

    @routes.get("/me/sign-in")
    def how(caller: Annotated[Caller, Depends(require_caller("console.read"))]) -> dict[str, Any]:
        """Say how the caller was recognised, and what ways in there are."""
        owner = owner_of(caller.person)
        app = signin.codes.codes.totp(owner)
        return {
            "level": caller.assurance.level.value,
            "stepped_up": caller.assurance.stepped_up,
            "passkeys": len(signin.passkeys.passkeys.of(owner)),
            "totp": app is not None and app.confirmed_at is not None,
            "recovery_codes": len(signin.codes.codes.recovery(owner)),
            "sessions": len(signin.sessions.of(owner)),
        }

    @routes.post("/people/{person}/reset")
    def reset(person: str, caller: Annotated[Person, Depends(require("person.reset"))]) -> dict[str, Any]:
        """Forget every way in of a person who lost them all; the next one begins with a one-time link."""
        owner = Owner(caller.tenant, person_id(person))
        return {"person": owner.person, "passkeys": signin.reset(owner, by=caller)}

    return routes
