"""The People page: who has access, by which ways in, under which names elsewhere; and changing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View, may
from ringfence.identity.model import PersonRecord
from ringfence.identity.service import Identity
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PersonId, Tenant, person_id

PAGE = "/access"
ACTS = ("person.change", "person.remove", "person.reset")
GIVEN = tuple(role for role in Role if role is not Role.OWNER)  # only the root makes owners
_SHOWN_ENDED = 50

Short = Annotated[str, Form(max_length=1000)]
Reason = Annotated[str, Form(max_length=64, pattern=r"^[a-z][a-z0-9-]*$")]


@dataclass(frozen=True, slots=True)
class Name:
    """Under which name a source knows a person."""

    source: str
    subject: str


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What opens the console for a person beside a one-time link."""

    passkeys: int
    app: bool

    @property
    def words(self) -> str:
        """Return it in words."""
        keys = f"{self.passkeys} passkey{'s' if self.passkeys > 1 else ''}" if self.passkeys else ""
        return " and ".join(filter(None, (keys, "passphrase and code" if self.app else ""))) or "token or link only"


class Changing(Protocol):
    """What the forms of the page call: the use cases that the API calls."""

    def names(self, tenant: Tenant) -> Mapping[PersonId, Sequence[Name]]:
        """Return the names elsewhere of a tenant's people."""
        ...

    def ways(self, tenant: Tenant, people: Iterable[PersonId]) -> Mapping[PersonId, WaysIn]:
        """Return how people come in."""
        ...

    def link(self, by: Person, person: PersonId, name: Name) -> Acknowledgement: ...
    def unlink(self, by: Person, name: Name) -> Acknowledgement: ...
    def change_role(self, by: Person, person: PersonId, role: Role) -> Acknowledgement: ...
    def reset(self, by: Person, person: PersonId) -> int: ...


def router(identity: Identity, changing: Changing, pages: Pages) -> APIRouter:
    """Return the People page and its forms."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Annotated[Person, Depends(require("person.read"))]) -> Response:
        """Show who has access."""
        return _page(identity, changing, pages, request, caller)

    @routes.post(PAGE + "/people/{person}/remove")
    def remove(person: str, reason: Reason, caller: Annotated[Person, Depends(require("person.remove"))]) -> Response:
        """End a person's access at once."""
        identity.remove(person_id(person), by=caller, left_at=None, reason=reason)
        return _back()

    _changes(routes, changing)
    return routes


def _changes(routes: APIRouter, changing: Changing) -> None:
    changer = require("person.change")

    @routes.post(PAGE + "/people/{person}/role")
    def role(person: str, role: Annotated[Role, Form()], caller: Annotated[Person, Depends(changer)]) -> Response:
        """Give a person another role."""
        changing.change_role(caller, person_id(person), role)
        return _back()

    @routes.post(PAGE + "/people/{person}/reset")
    def reset(person: str, caller: Annotated[Person, Depends(require("person.reset"))]) -> Response:
        """Forget every way in of somebody who lost them all."""
        changing.reset(caller, person_id(person))
        return _back()

    @routes.post(PAGE + "/people/{person}/names")
    def link(
        person: str, caller: Annotated[Person, Depends(changer)], source: Short = "", subject: Short = ""
    ) -> Response:
        """Let a source's subject mean a person."""
        changing.link(caller, person_id(person), Name(source.strip(), subject.strip()))
        return _back()

    @routes.post(PAGE + "/names/unlink")
    def unlink(caller: Annotated[Person, Depends(changer)], source: Short = "", subject: Short = "") -> Response:
        """Let a source's subject mean nobody."""
        changing.unlink(caller, Name(source, subject))
        return _back()


def _back() -> Response:
    return RedirectResponse(PAGE, status_code=303)


def _page(identity: Identity, changing: Changing, pages: Pages, request: Request, caller: Person) -> Response:
    known = identity.register(caller.tenant)
    active = sorted(filter(lambda one: _has_access(identity, one), known), key=lambda one: (_rank(one), one.name))
    ended = sorted((one for one in known if one not in active), key=lambda one: one.removed_at or one.enrolled_at)
    permitted = may(identity.policies.allows, caller, ACTS)
    return pages.respond(
        request,
        "people.html",
        View("Who has access, and how do they come in?", "ringfence user list", caller),
        people=active,
        ended=ended[: -_SHOWN_ENDED - 1 : -1],
        ended_count=len(ended),
        ways=changing.ways(caller.tenant, [one.id for one in active]),
        # A name elsewhere says who somebody is outside: for those who look after people.
        names=changing.names(caller.tenant) if "person.change" in permitted else {},
        may=permitted,
        roles=GIVEN,
    )


def _has_access(identity: Identity, one: PersonRecord) -> bool:
    return one.removed_at is None and one.id not in identity.revocations


def _rank(one: PersonRecord) -> int:
    return list(Role).index(one.role)
