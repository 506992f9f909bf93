"""The routes of identity's parts, joined; and how somebody whom a provider vouched for is let in."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from ringfence.frontends.joining import join
from ringfence.frontends.page import Pages, Prepare
from ringfence.identity import console
from ringfence.identity.accounts import api as accounts_api
from ringfence.identity.accounts import console as accounts_console
from ringfence.identity.federation import api as federation_api
from ringfence.identity.federation import console as federation_console
from ringfence.identity.federation.console import OPEN_PATHS
from ringfence.identity.joining import api as joining_api
from ringfence.identity.joining import console as joining_console
from ringfence.identity.model import PersonRecord
from ringfence.identity.people import PeopleDesk
from ringfence.identity.reviews import api as reviews_api
from ringfence.identity.reviews import console as reviews_console
from ringfence.identity.service import Identity
from ringfence.identity.signin.entrance import let_in, place_of
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.service import SignIn
from ringfence.identity.tenants import api as tenants_api
from ringfence.identity.tenants import console as tenants_console
from ringfence.identity.tenants.console import Holdings
from ringfence.identity.wires import Access
from ringfence.kernel.actor import Level
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import PersonId, Tenant

__all__ = ["OPEN_PATHS", "Beside", "elsewhere", "pages_about_access", "provider_of", "routes"]


@dataclass(frozen=True, slots=True)
class Beside:
    """What the pages about access ask of others than identity."""

    prepare: Prepare
    holdings: Holdings


def routes(access: Access) -> APIRouter:
    """Return the routes below `/api/v1`."""
    joined = APIRouter()
    join(joined, tenants_api.router(access.tenants))
    join(joined, accounts_api.router(access.accounts))
    join(joined, federation_api.router(access.federation))
    join(joined, joining_api.router(access.joining))
    join(joined, reviews_api.router(access.reviews))
    return joined


def names(access: Access, identity: Identity, tenant: Tenant) -> dict[PersonId, str]:
    """Return what the people and services of a tenant are called."""
    people = {person.id: person.name for person in identity.register(tenant)}
    return people | {account.id: account.name for account in access.accounts.all(tenant)}


def pages_about_access(access: Access, identity: Identity, signin: SignIn, pages: Pages, beside: Beside) -> APIRouter:
    """Return the pages of people, services, reviews, imports and tenants."""
    allows, joined = identity.policies.allows, APIRouter()
    join(joined, console.router(identity, PeopleDesk(access.federation, access.joining, signin), pages))
    join(joined, accounts_console.router(access.accounts, pages))
    called = partial(names, access, identity)
    join(joined, reviews_console.router(access.reviews, called, pages, beside.prepare, allows))
    join(joined, joining_console.router(access.joining, pages))
    join(joined, tenants_console.router(access.tenants, beside.holdings, pages, allows))
    return joined


def elsewhere(access: Access, signin: SignIn, pages: Pages) -> APIRouter:
    """Return the routes of signing in at a provider."""

    def ask(request: Request) -> None:
        signin.guard.ask(place_of(request))

    return federation_console.router(access.federation, vouched(signin), pages, access.tenants.first, ask=ask)


def provider_of(access: Access) -> str:
    """Return where people can sign in elsewhere: the provider's host; nothing where none is set up, or wrongly."""
    with suppress(RingfenceError):
        client = access.federation.configured()
        if client is not None:
            return client.issuer.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return ""


def vouched(signin: SignIn) -> Callable[[Request, PersonRecord, Response], Response]:
    """Return how a session is opened on a provider's word."""

    def opened(request: Request, person: PersonRecord, answer: Response) -> Response:
        signin.guard.answered(place_of(request))
        return let_in(request, signin, Owner(person.tenant, person.id), Level.OIDC, answer)

    return opened
