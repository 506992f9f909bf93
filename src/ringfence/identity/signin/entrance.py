"""The way in: the only routes that need no session, since they make one."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.cookies import BROWSER_COOKIE, SESSION_COOKIE
from ringfence.frontends.page import Pages
from ringfence.identity.service import Identity
from ringfence.identity.signin.browser import Asserted
from ringfence.identity.signin.model import ABSOLUTE, CEREMONY_LIFE, Owner, Site
from ringfence.identity.signin.service import SignIn, owner_of
from ringfence.kernel.actor import Level
from ringfence.kernel.errors import TooManyAttempts, Unauthenticated

OPEN_PATHS = frozenset({"/login", "/login/ask", "/login/passkey", "/login/code", "/login/recovery"})

Fields = Annotated[dict[str, str], Depends(cookies.form_of)]


def place_of(request: Request) -> str:
    """Return where a request comes from, for counting what fails."""
    return request.client.host if request.client else "here"


def let_in(request: Request, signin: SignIn, owner: Owner, level: Level, answer: Response) -> Response:
    """Open a session in this browser, in the place of the one that it may have; return the answer that says so."""
    secret = signin.sessions.open(owner, level, instead_of=cookies.session_of(request))
    answer.headers["referrer-policy"] = "no-referrer"  # the address may hold a link's secret
    cookies.keep(request, answer, SESSION_COOKIE, secret, seconds=int(ABSOLUTE.total_seconds()))
    cookies.drop(request, answer, BROWSER_COOKIE)
    return answer


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def router(identity: Identity, signin: SignIn, pages: Pages, site: Site, *, practice: bool = False) -> APIRouter:
    """Return the routes of the entrance; another console leads people into a `practice`."""
    routes = APIRouter(include_in_schema=False)
    _links(routes, identity, signin, pages, practice=practice)
    _passkeys(routes, signin, site)
    _codes(routes, signin, pages)
    return routes


def _links(routes: APIRouter, identity: Identity, signin: SignIn, pages: Pages, *, practice: bool) -> None:
    @routes.get("/login")
    def login(request: Request, token: str = "") -> Response:
        """Redeem a one-time link; without one, ask for a passkey or a code."""
        if not token:
            return pages.login(request)
        elsewhere = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if elsewhere and not practice:  # its page chose whose link this is; in a practice everybody is made up
            return pages.login(request, message="another site sent you here; copy your own link into the address bar")
        try:
            person = identity.redeem(token)
        except Unauthenticated as error:
            return pages.login(request, message=str(error))
        inside = cookies.inside("/practise") if practice else _to("/")
        return let_in(request, signin, owner_of(person), Level.LINK, inside)


def _passkeys(routes: APIRouter, signin: SignIn, site: Site) -> None:
    @routes.post("/login/ask")
    def ask(request: Request) -> Response:
        """Ask whatever passkey there is; nothing tells whose this could be."""
        cookies.check_origin(request)
        signin.guard.ask(place_of(request))
        browser = secrets.token_urlsafe(32)
        answer = JSONResponse(signin.passkeys.ask_to_sign_in(browser=browser, site=site))
        cookies.keep(request, answer, BROWSER_COOKIE, browser, seconds=int(CEREMONY_LIFE.total_seconds()))
        return answer

    @routes.post("/login/passkey")
    def passkey(request: Request, body: Asserted) -> Response:
        """Open a session where a passkey answered."""
        cookies.check_origin(request)
        browser = cookies.read(request, BROWSER_COOKIE)
        owner = signin.passkeys.sign_in(body.parsed(), browser=browser, site=site)
        signin.guard.answered(place_of(request))
        return let_in(request, signin, owner, Level.PASSKEY, JSONResponse({"to": "/"}))


def _codes(routes: APIRouter, signin: SignIn, pages: Pages) -> None:
    @routes.post("/login/code")
    def code(request: Request, fields: Fields) -> Response:
        """Open a session by a passphrase and a code of an app."""
        cookies.check_origin(request)
        person, passphrase, digits = (fields.get(name, "")[:300] for name in ("person", "passphrase", "code"))
        try:
            owner = signin.codes.sign_in(person, passphrase, digits.replace(" ", ""), place=place_of(request))
        except (Unauthenticated, TooManyAttempts) as error:
            return pages.login(request, message=str(error), status=error.http_status)
        return let_in(request, signin, owner, Level.TOTP, _to("/"))

    @routes.post("/login/recovery")
    def recovery(request: Request, fields: Fields) -> Response:
        """Open a session that is good for a new passkey only."""
        cookies.check_origin(request)
        person, text = (fields.get(name, "")[:100] for name in ("person", "code"))
        try:
            owner = signin.codes.recover(person, text, place=place_of(request))
            signin.end_all(owner)
        except (Unauthenticated, TooManyAttempts) as error:
            return pages.login(request, message=str(error), status=error.http_status)
        return let_in(request, signin, owner, Level.RECOVERY, _to("/signin"))
