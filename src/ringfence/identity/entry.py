"""The routes of identity's parts, joined; and how somebody whom a provider vouched for is let in."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from ringfence.frontends.page import Pages
from ringfence.identity.accounts import api as accounts_api
from ringfence.identity.federation import api as federation_api
from ringfence.identity.federation import console as federation_console
from ringfence.identity.federation.console import OPEN_PATHS
from ringfence.identity.joining import api as joining_api
from ringfence.identity.model import PersonRecord
from ringfence.identity.reviews import api as reviews_api
from ringfence.identity.signin.entrance import let_in, place_of
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.service import SignIn
from ringfence.identity.tenants import api as tenants_api
from ringfence.identity.wires import Access
from ringfence.kernel.actor import Level

__all__ = ["OPEN_PATHS", "elsewhere", "routes"]


def routes(access: Access) -> APIRouter:
    """Return the routes below `/api/v1`."""
    joined = APIRouter()
    joined.include_router(tenants_api.router(access.tenants))
    joined.include_router(accounts_api.router(access.accounts))
    joined.include_router(federation_api.router(access.federation))
    joined.include_router(joining_api.router(access.joining))
    joined.include_router(reviews_api.router(access.reviews))
    return joined


def elsewhere(access: Access, signin: SignIn, pages: Pages) -> APIRouter:
    """Return the routes of signing in at a provider."""

    def ask(request: Request) -> None:
        signin.guard.ask(place_of(request))

    return federation_console.router(access.federation, vouched(signin), pages, access.tenants.first, ask=ask)


def vouched(signin: SignIn) -> Callable[[Request, PersonRecord, Response], Response]:
    """Return how a session is opened on a provider's word."""

    def opened(request: Request, person: PersonRecord, answer: Response) -> Response:
        signin.guard.answered(place_of(request))
        return let_in(request, signin, Owner(person.tenant, person.id), Level.OIDC, answer)

    return opened
