"""Leaving for the identity provider, and coming back: two of the routes that need no session."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.page import Pages
from ringfence.identity.federation.model import LOGIN_LIFE
from ringfence.identity.federation.service import Federation, Return
from ringfence.identity.model import PersonRecord
from ringfence.kernel import identifier
from ringfence.kernel.errors import NotFound, RingfenceError, Unauthenticated
from ringfence.kernel.identifier import Tenant

LOGIN_COOKIE = "ringfence_login"
OPEN_PATHS = frozenset({"/login/oidc", "/login/oidc/callback"})
MAX_QUERY = 4096  # characters of one parameter that a provider sends back


def router(
    federation: Federation,
    let_in: Callable[[Request, PersonRecord, Response], Response],
    pages: Pages,
    first: Tenant,
    *,
    ask: Callable[[Request], None],
) -> APIRouter:
    """Return the routes; `let_in` opens the session of whom the provider vouched for, `ask` stops who only leaves."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login/oidc")
    def leave(request: Request, tenant: str = "") -> Response:
        """Send the browser to the provider, with a secret that only it can come back with."""
        ask(request)
        departure = federation.depart(identifier.tenant(tenant) if tenant else first)
        answer = RedirectResponse(departure.address, status_code=303)
        answer.headers["referrer-policy"] = "no-referrer"
        answer.headers["cache-control"] = "no-store"
        seconds = int(LOGIN_LIFE.total_seconds())
        # Lax: it must come along when the provider sends the browser back.
        cookies.keep(request, answer, LOGIN_COOKIE, departure.secret, seconds=seconds, samesite="lax")
        return answer

    @routes.get("/login/oidc/callback")
    def back(request: Request) -> Response:
        """Open the session of whom the provider vouches for."""
        try:
            person = federation.arrive(_returned(request), cookies.read(request, LOGIN_COOKIE))
        except NotFound:
            raise
        except RingfenceError as error:
            answer: Response = pages.login(request, message=str(error))
            cookies.drop(request, answer, LOGIN_COOKIE)
            return answer
        inside = cookies.inside("/")
        cookies.drop(request, inside, LOGIN_COOKIE)
        return let_in(request, person, inside)

    return routes


def _returned(request: Request) -> Return:
    query = request.query_params
    if any(len(value) > MAX_QUERY for value in query.values()) or len(query.multi_items()) != len(query):
        raise Unauthenticated("the identity provider's answer is not one; begin again")
    named = {name: query.get(name, "") for name in ("state", "code", "iss", "error")}
    return Return(named["state"], named["code"], named["iss"], named["error"])
