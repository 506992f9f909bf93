"""The Profiles page: side by side, the one in force, what another one would change, and the way to sign that."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Conflict
from ringfence.obligations.choices import NO_PROFILE, Profile
from ringfence.obligations.profiles.difference import digest_of, enforced, part
from ringfence.obligations.profiles.service import Profiles

PAGE = "/profiles"
ACT = "profile.select"
Reader = Annotated[Person, Depends(require("status.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]
Name = Annotated[str, Form(max_length=40)]
Wanted = Annotated[str, Query(max_length=40)]


def router(profiles: Profiles, pages: Pages, prepare: Prepare, allows: Allows) -> APIRouter:
    """Return the Profiles page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def shown(request: Request, caller: Reader, with_: Annotated[Wanted, Query(alias="with")] = "") -> Response:
        """Show the profiles, and what the one that is asked for would change."""
        selected, every = profiles.in_force(caller.tenant), profiles.every()
        terminal = f"ringfence profile use {with_}" if with_ else "ringfence profile compare"
        facts = _choice(profiles, caller, with_)
        view = View("Which profile do we hold ourselves to?", terminal, caller)
        return pages.respond(
            request,
            "profiles.html",
            view,
            selected=selected,
            current=selected.profile.id if selected else NO_PROFILE,
            profiles=every,
            enforced=side_by_side(every, enforced),
            others=by_section(side_by_side(every, not_enforced)),
            may=allows(caller, ACT),
            **facts,
        )

    @routes.post(PAGE)
    def select(profile: Name, difference: Annotated[str, Form(max_length=80)], caller: Signer) -> Response:
        """Prepare the statement that puts a profile in force; only over the difference that was shown."""
        choice = profiles.choice(caller.tenant, profile)
        if str(digest_of(choice.difference)) != difference:
            raise Conflict("what would change is not what you were shown any more; look at the difference again")
        return RedirectResponse(prepare(caller, choice.draft, profile), status_code=303)

    return routes


def _choice(profiles: Profiles, caller: Person, name: str) -> dict[str, Any]:
    if not name:
        return {"wanted": None, "difference": None, "digest": ""}
    wanted = profiles.one(name)
    try:
        choice = profiles.choice(caller.tenant, name)
    except Conflict:  # it is in force: nothing would change
        return {"wanted": wanted, "difference": None, "digest": ""}
    return {"wanted": wanted, "difference": choice.difference, "digest": str(digest_of(choice.difference))}


def not_enforced(one: Profile) -> list[tuple[str, str]]:
    """Return the parts of a profile that no code enforces yet, in words."""
    return [(path, told(part(one, path))) for path in one.not_enforced]


def side_by_side(every: list[Profile], parts: Callable[[Profile], Any]) -> list[tuple[str, list[str]]]:
    """Return a row for each part, with what each profile says of it."""
    tables: list[Mapping[str, str]] = [dict(parts(one)) for one in every]
    names = dict.fromkeys(name for table in tables for name in table)
    return [(name, [table.get(name, "") for table in tables]) for name in names]


def by_section(rows: list[tuple[str, list[str]]]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return the rows in the sections of a profile, each by its name there."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for name, values in sorted(rows):
        section, _, rest = name.partition(".")
        found.setdefault(section, []).append((rest.replace("_", " "), values))
    return list(found.items())


def told(value: object) -> str:
    """Return a value of a profile in words."""
    match value:
        case dict():
            return "; ".join(f"{str(name).replace('_', ' ')}: {told(part)}" for name, part in value.items())
        case list():
            return ", ".join(map(told, value))
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
