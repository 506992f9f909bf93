"""Routes of signing keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import UsageError
from ringfence.kernel.identifier import key_id
from ringfence.signing.custody import Held
from ringfence.signing.service import Keys


def shown(held: Held) -> dict[str, Any]:
    """Return a key as every front end shows it."""
    return {
        "key": held.key,
        "role": held.role.value,
        "person": held.person,
        "since": to_text(held.since),
        "until": to_text(held.until),
        "state": held.state.value,
        "reason": held.reason,
        "custody": held.kept[-1].custody,
        "kept": [
            {"since": to_text(kept.since), "custody": kept.custody}
            | ({"threshold": kept.threshold, "shares": kept.shares} if kept.shares else {})
            for kept in held.kept
        ],
        "signs": held.signs,
    }


def router(keys: Keys) -> APIRouter:
    """Return the routes over the service."""
    routes = APIRouter(tags=["keys"])

    @routes.get("/signing-keys")
    def held(
        caller: Annotated[Person, Depends(require("evidence.read"))], at: str = "", key: str = "", since: str = ""
    ) -> dict[str, Any]:
        """List who held which signing key when; of one, count what no other party vouched for before a time."""
        found = keys.history(caller.tenant, from_text(at) if at else None)
        if not key:
            return {"keys": [shown(each) for each in found]}
        alone = keys.unvouched(caller.tenant, key_id(key), from_text(since) if since else None)
        return {"keys": [shown(each) for each in found if each.key == key], "unvouched": alone}

    @routes.post("/signing-keys/revocations", status_code=201)
    def revoke(body: PostedStatement, caller: Annotated[Person, Depends(require("person.enrol"))]) -> dict[str, Any]:
        """Record the root's revocation of a key."""
        envelope, opening = body.parsed()
        if opening is not None:
            raise UsageError("a revocation has no side record")
        return {"statement": keys.revoke(envelope, by=caller).to_json()}

    @routes.post("/signing-keys/custody", status_code=201)
    def custody(body: PostedStatement, caller: Annotated[Person, Depends(require("person.change"))]) -> dict[str, Any]:
        """Record where a key lies now."""
        envelope, opening = body.parsed()
        if opening is not None:
            raise UsageError("a statement on custody has no side record")
        return {"statement": keys.state_custody(envelope, by=caller).to_json()}

    return routes
