"""Profiles over HTTP: which there are, what another one would change, and the signature that puts it in force."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.choices import Profile, Selected
from ringfence.obligations.profiles.difference import digest_of, enforced, part
from ringfence.obligations.profiles.service import Choice, Profiles

Name = Annotated[str, Path(max_length=40)]
Reader = Annotated[Person, Depends(require("status.read"))]


def shown(one: Profile) -> dict[str, Any]:
    """Return a profile: what is enforced of it, and each part that is not."""
    return {
        "profile": one.id,
        "digest": str(one.digest),
        "required": sorted(one.required),
        "enforced": [{"what": what, "value": value} for what, value in enforced(one)],
        "not_enforced": [{"part": path, "value": part(one, path)} for path in one.not_enforced],
    }


def shown_selected(found: Selected | None) -> dict[str, Any] | None:
    """Return the profile in force."""
    if found is None:
        return None
    since = to_text(found.since) if found.since else None
    return {"profile": found.profile.id, "entry": found.entry, "since": since, "outdated": found.outdated}


def shown_choice(choice: Choice) -> dict[str, Any]:
    """Return what would change, its digest, and what is signed."""
    return {
        "difference": dict(choice.difference),
        "digest": str(digest_of(choice.difference)),
        "draft": drafts.to_json(choice.draft),
    }


def router(profiles: Profiles) -> APIRouter:
    """Return the routes of profiles."""
    routes = APIRouter(tags=["profiles"])

    @routes.get("/profiles")
    def listed(caller: Reader) -> dict[str, Any]:
        """List the profiles, and say which one is in force."""
        return {
            "in_force": shown_selected(profiles.in_force(caller.tenant)),
            "profiles": [shown(one) for one in profiles.every()],
        }

    @routes.get("/profiles/{profile}")
    def one(profile: Name, caller: Reader) -> dict[str, Any]:  # noqa: ARG001 - whoever asks has to be let in
        """Show one profile."""
        return shown(profiles.one(profile))

    @routes.get("/profiles/{profile}/difference")
    def difference(profile: Name, caller: Reader) -> dict[str, Any]:
        """Say what would change with a profile, before anybody signs it."""
        return shown_choice(profiles.choice(caller.tenant, profile))

    @routes.post("/profiles/{profile}/selection", status_code=201)
    def select(
        profile: Name, body: PostedStatement, caller: Annotated[Person, Depends(require("profile.select"))]
    ) -> dict[str, Any]:
        """Take the caller's signature that puts a profile in force."""
        envelope, _ = body.parsed()
        return {"profile": profile, "statement": profiles.take(caller, profile, envelope).to_json()}

    return routes
