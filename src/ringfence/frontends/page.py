"""The toolkit of the console: templates, layout, navigation, security headers, assets.

A page is a template of `pages/` plus the facts that a `console` module gathered. Pages hold no decision and load
nothing from another host; the headers below make a browser refuse what would.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.frontends import cookies, wording
from ringfence.frontends.places import PLACES, Place, here
from ringfence.kernel import identifier
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import MAX_GIVEN, Clock, given
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",  # not no-referrer: browsers would then hide the origin of our own forms
    "x-content-type-options": "nosniff",
}
THEME_COOKIE = "ringfence_theme"
_THEMES = frozenset({"light", "dark"})
_PACKAGE = "ringfence.frontends"

# Keeps an act of a person for its signature, with what it is done to; returns the page on which it is signed.
Prepare = Callable[[Person, Draft, str], str]
Allows = Callable[[Person, str], bool]  # whether somebody may do an action
Names = Callable[[Tenant], Mapping[PersonId, str]]  # what people and services are called
AsOf = Annotated[str | None, Query(max_length=MAX_GIVEN)]  # the `as_of` of an address; parse it with `instant`


def may(allows: Allows, caller: Person, actions: Iterable[str]) -> frozenset[str]:
    """Return what a role permits at all; a page shows no control that could only refuse."""
    return frozenset(action for action in actions if allows(caller, action))


def environment_of_package() -> Environment:
    """Return the Jinja environment: everything is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader(_PACKAGE, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "age": wording.age,
        "claim": wording.claim,
        "field": wording.field,
        "is_digest": wording.is_digest,
        "middle": wording.middle,
        "number": wording.number,
        "plural": wording.plural,
        "points": wording.points,
        "span": wording.span,
        "utc": wording.utc,
        "words": wording.words,
    }
    made.globals["asset"] = asset
    return made


@cache
def asset(name: str) -> str:
    """Return the address of an asset; it changes with the content, so that browsers may keep it."""
    data = resources.files(_PACKAGE).joinpath("assets", name).read_bytes()
    return f"/assets/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class ClockSummary:
    """The clocks for which somebody still has to act."""

    count: int
    nearest: datetime | None  # the deadline that comes first, or was missed first; None where none has one
    link: str = "/incidents"


@dataclass(frozen=True, slots=True)
class View:
    """What the frame around a page says about it."""

    question: str  # the title: the question that the page answers
    terminal: str  # the command that shows the same in a terminal; empty where none does
    caller: Person | None = None
    as_of: datetime | None = None  # where the page shows the past
    scrubs: bool = False  # whether the page can be asked about the past


@dataclass(frozen=True, slots=True)
class Pages:
    """Render the templates of the console."""

    clock: Clock
    is_demo: Callable[[Tenant], bool] = lambda _tenant: False
    clocks: Callable[[Tenant], ClockSummary | None] = lambda _tenant: None  # asked for every page: keep it cheap
    places: tuple[Place, ...] = PLACES
    elsewhere: Callable[[], str] = lambda: ""  # the identity provider at which people can sign in too
    environment: Environment = field(default_factory=environment_of_package)

    def respond(self, request: Request, template: str, view: View, *, status: int = 200, **facts: Any) -> HTMLResponse:
        """Return a whole page."""
        now = self.clock.now()
        theme = request.cookies.get(THEME_COOKIE, "")
        text = self.environment.get_template(template).render(
            view=view,
            now=now,
            at=view.as_of or now,
            places=self.places if view.caller else (),
            path=request.url.path,
            here=here(self.places, request.url.path),
            theme=theme if theme in _THEMES else "",
            csrf=cookies.csrf_of(cookies.session_of(request)),
            demo=view.caller is not None and self.is_demo(view.caller.tenant),
            clocks=self.clocks(view.caller.tenant) if view.caller else None,
            **facts,
        )
        return HTMLResponse(text, status_code=status, headers={"cache-control": "no-store"})

    def fragment(self, template: str, macro: str, *arguments: Any) -> str:
        """Return what one macro of a template renders, for a live part."""
        module = self.environment.get_template(template).make_module({"now": self.clock.now()})
        return str(getattr(module, macro)(*arguments))

    def login(self, request: Request, *, message: str = "", status: int = 401) -> HTMLResponse:
        """Return the entrance; `message` says why the last attempt failed."""
        view = View("How do I come in?", "")
        facts = {"message": message, "elsewhere": self.elsewhere(), "tenant": _tenant_of(request)}
        return self.respond(request, "login.html", view, status=status if message else 200, **facts)

    def problem(self, request: Request, error: RingfenceError) -> HTMLResponse:
        """Return an error of the family as a page, for browsers; the API answers with problem details."""
        view = View("What went wrong?", "")
        return self.respond(request, "problem.html", view, status=error.http_status, error=error)


def _tenant_of(request: Request) -> str:
    """Return the tenant that somebody signs in to, where it is well formed; whether there is one is not looked at."""
    try:
        return identifier.tenant(request.query_params.get("tenant", ""))
    except MalformedInput:
        return ""


def instant(text: str | None) -> datetime | None:
    """Parse the `as_of` of an address; nothing means now.

    Raises:
        MalformedInput: if it is not a time.
    """
    return given(text, source="as_of") if text else None


@dataclass(frozen=True, slots=True)
class SecureHeaders:
    """ASGI middleware that puts the security headers on every answer."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of the answer."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/assets/"):
                    headers.setdefault("cache-control", "public, max-age=31536000, immutable")
            await send(message)

        await self.app(scope, receive, completed if scope["type"] == "http" else send)


def install(app: FastAPI) -> None:
    """Mount the assets and put the security headers on every answer of `app`."""
    app.mount("/assets", StaticFiles(packages=[(_PACKAGE, "assets")]), name="assets")
    app.add_middleware(SecureHeaders)
