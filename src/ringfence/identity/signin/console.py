"""The page "Your sign-in": passkeys, codes, sessions, and what confirms dangerous acts."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.cookies import SESSION_COOKIE
from ringfence.frontends.http import require, require_caller
from ringfence.frontends.page import Pages, View
from ringfence.identity.signin import totp
from ringfence.identity.signin.browser import Asserted, NewCredential
from ringfence.identity.signin.model import ABSOLUTE, FRESH, Passkey, Session, Site
from ringfence.identity.signin.picture import picture_of
from ringfence.identity.signin.service import SignIn, owner_of
from ringfence.kernel.actor import Caller, Person
from ringfence.kernel.errors import Unauthenticated

PAGE = "/signin"
_SECONDS = int(ABSOLUTE.total_seconds())

Signers = Callable[[Person], Sequence[Passkey]]  # which passkeys of a person sign acts
Question = Callable[..., dict[str, Any]]  # to an authenticator, by owner, browser and site
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]


def router(signin: SignIn, pages: Pages, site: Site, signers: Signers = lambda _: []) -> APIRouter:
    """Return the page and what its forms and its script ask for."""
    routes = APIRouter(include_in_schema=False)
    shown = _Shown(signin, pages, signers)
    _passkeys(routes, signin, site)
    _confirming(routes, signin, shown, site)
    _codes(routes, signin, shown)
    _sessions(routes, signin, shown)
    return routes


class _Shown:
    """The page, in whatever state."""

    def __init__(self, signin: SignIn, pages: Pages, signers: Signers) -> None:
        self.signin = signin
        self.pages = pages
        self.signers = signers

    def __call__(self, request: Request, caller: Caller, **extra: Any) -> Response:
        owner = owner_of(caller.person)
        app = self.signin.codes.codes.totp(owner)
        facts: dict[str, Any] = {
            "assurance": caller.assurance,
            "passkeys": self.signin.passkeys.passkeys.of(owner),
            "signing": {passkey.id for passkey in self.signers(caller.person)},
            "app": app if app and app.confirmed_at else None,
            "codes_left": len(self.signin.codes.codes.recovery(owner)),
            "sessions": self.signin.sessions.of(owner),
            "this": self.this(request),
            "fresh": FRESH,
        }
        shown: dict[str, Any] = {"codes": (), "terminal": "", "picture": "", "secret": ""}
        view = View("How do I sign in?", "", caller.person)
        return self.pages.respond(request, "signin.html", view, **facts | shown | extra)

    def this(self, request: Request) -> Session | None:
        """Return the session of this request; None where it is made with a token."""
        try:
            return self.signin.sessions.session(cookies.session_of(request))
        except Unauthenticated:
            return None


def _to_page() -> Response:
    return RedirectResponse(PAGE, status_code=303)


def _asking(routes: APIRouter, path: str, action: str, question: Question, site: Site) -> None:
    @routes.post(path)
    def ask(request: Request, caller: Annotated[Person, Depends(require(action))]) -> Response:
        """Ask the person's authenticator, on behalf of this session."""
        return JSONResponse(question(owner_of(caller), browser=cookies.session_of(request), site=site))


def _passkeys(routes: APIRouter, signin: SignIn, site: Site) -> None:
    _asking(routes, "/signin/passkeys/ask", "passkey.enrol", signin.passkeys.ask_to_enrol, site)

    @routes.post("/signin/passkeys")
    def enrol(
        request: Request, body: NewCredential, caller: Annotated[Caller, Depends(require_caller("passkey.enrol"))]
    ) -> Response:
        """Keep a new passkey."""
        browser = cookies.session_of(request)
        level = caller.assurance.level
        done = signin.passkeys.enrol(owner_of(caller.person), body.parsed(), browser=browser, site=site, basis=level)
        return JSONResponse({"to": PAGE, "statement": done.to_json()}, status_code=201)

    @routes.post("/signin/passkeys/{passkey}/remove")
    def remove(
        request: Request, passkey: str, caller: Annotated[Person, Depends(require("passkey.remove"))]
    ) -> Response:
        """Forget a passkey, and end whatever else it may have opened."""
        owner = owner_of(caller)
        signin.passkeys.remove(owner, passkey, recoverable=bool(signin.codes.codes.recovery(owner)))
        signin.end_all(owner, but=cookies.session_of(request))
        return _to_page()


def _confirming(routes: APIRouter, signin: SignIn, shown: _Shown, site: Site) -> None:
    _asking(routes, "/signin/confirm/ask", "console.read", signin.passkeys.ask_to_confirm, site)

    @routes.post("/signin/confirm")
    def confirm(
        request: Request, body: Asserted, caller: Annotated[Person, Depends(require("console.read"))]
    ) -> Response:
        """Let the session do dangerous acts for some minutes; its secret changes."""
        secret = cookies.session_of(request)
        signin.passkeys.confirm(owner_of(caller), body.parsed(), browser=secret, site=site)
        fresh = signin.sessions.confirmed(secret, owner_of(caller))
        answer = JSONResponse({"csrf": cookies.csrf_of(fresh)})
        cookies.keep(request, answer, SESSION_COOKIE, fresh, seconds=_SECONDS)
        return answer

    @routes.post("/signin/terminal")
    def terminal(request: Request, caller: Annotated[Caller, Depends(require_caller("terminal.confirm"))]) -> Response:
        """Show a code that lets this person's terminal do dangerous acts for some minutes."""
        return shown(request, caller, terminal=signin.confirm_terminal(owner_of(caller.person)))


def _codes(routes: APIRouter, signin: SignIn, shown: _Shown) -> None:
    @routes.post("/signin/totp")
    def begin(
        request: Request, fields: Fields, caller: Annotated[Caller, Depends(require_caller("totp.change"))]
    ) -> Response:
        """Show the secret of a new authenticator app."""
        secret = signin.codes.begin_totp(owner_of(caller.person), fields.get("passphrase", ""))
        address = totp.address(secret, account=caller.person.id)
        return shown(request, caller, picture=picture_of(address), secret=totp.written(secret))

    @routes.post("/signin/totp/confirm")
    def confirm(fields: Fields, caller: Annotated[Person, Depends(require("totp.change"))]) -> Response:
        """Let the app count, since it shows the right code."""
        signin.codes.confirm_totp(owner_of(caller), fields.get("code", "").replace(" ", "")[:20])
        return _to_page()

    @routes.post("/signin/totp/remove")
    def remove(request: Request, caller: Annotated[Person, Depends(require("totp.change"))]) -> Response:
        """Forget the app and the passphrase, and end whatever else they may have opened."""
        signin.codes.remove_totp(owner_of(caller))
        signin.end_all(owner_of(caller), but=cookies.session_of(request))
        return _to_page()

    @routes.post("/signin/recovery")
    def recovery(request: Request, caller: Annotated[Caller, Depends(require_caller("recovery.issue"))]) -> Response:
        """Show new recovery codes, once."""
        return shown(request, caller, codes=signin.codes.issue_recovery(owner_of(caller.person)))


def _sessions(routes: APIRouter, signin: SignIn, shown: _Shown) -> None:
    @routes.get(PAGE)
    def page(request: Request, caller: Annotated[Caller, Depends(require_caller("console.read"))]) -> Response:
        """Show how this person signs in."""
        return shown(request, caller)

    @routes.post("/signin/sessions/{session}/end")
    def end(session: str, caller: Annotated[Person, Depends(require("session.end"))]) -> Response:
        """End one session."""
        signin.sessions.end_one(owner_of(caller), session)
        return _to_page()

    @routes.post("/signin/sessions/end")
    def end_all(request: Request, caller: Annotated[Person, Depends(require("session.end"))]) -> Response:
        """End every session of this person, this one among them."""
        signin.end_all(owner_of(caller))
        return _left(request)

    @routes.post("/logout")
    def logout(request: Request, caller: Annotated[Person, Depends(require("console.read"))]) -> Response:
        """End this session, and the codes that the console gave for a terminal."""
        signin.sessions.end(cookies.session_of(request))
        signin.end_terminals(owner_of(caller))
        return _left(request)


def _left(request: Request) -> Response:
    answer = RedirectResponse("/login", status_code=303)
    cookies.drop(request, answer, SESSION_COOKIE)
    answer.headers["clear-site-data"] = '"cache"'
    return answer
