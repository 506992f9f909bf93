"""What every route shares: who is asking, whether Cedar lets them, and problem details for every error.

A route takes its caller by `Depends(require("dataset.read"))`. A route without it is refused by an architecture
test, so that no route can be open by oversight.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.kernel.actor import Caller, Person
from ringfence.kernel.commitment import MAX_DETAILS, Opening, parse_opening
from ringfence.kernel.envelope import MAX_ENVELOPE, Envelope, parse
from ringfence.kernel.errors import (
    InternalError,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unauthenticated,
    UsageError,
)
from ringfence.settings import CONFIRMATION_HEADER

_API = "/api/"
MAX_BODY = 8 * 2**20  # the largest honest body is an envelope with its side record: below 5 MiB


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought along to say who it is from: an API token or a session, never both."""

    token: str = ""
    session: str = ""
    confirmation: str = ""  # what the console gave a person for a terminal, beside a token
    unattended: bool = False  # a page asks on its own, whoever sits there or nobody: no use of a session


class Door(Protocol):
    """Who is asking, and may they?"""

    def authenticate(self, credential: Credential) -> Caller:
        """Return who is behind a credential, and how surely; raise `Unauthenticated`."""
        ...

    def authorise(self, caller: Caller, action: str) -> None:
        """Return where the policies permit `action` in the caller's tenant; raise `Refused`."""
        ...


class ProblemPages(Protocol):
    """Show an error to a person; found as `app.state.pages` where the app has a console."""

    def problem(self, request: Request, error: RingfenceError) -> Response:
        """Return the error as a page."""
        ...


def require(action: str) -> Callable[..., Person]:
    """Return the dependency that authenticates the caller and asks the policies for `action`."""
    asked = require_caller(action)

    def person(found: Annotated[Caller, Depends(asked)]) -> Person:
        return found.person

    person.__dict__["action"] = action
    return person


def require_caller(action: str) -> Callable[..., Caller]:
    """Return the same dependency for a route that also has to know how surely the caller was recognised."""

    def caller(request: Request, csrf: Annotated[str, Depends(cookies.shown_token)]) -> Caller:
        door = cast("Door", request.app.state.door)
        found = door.authenticate(credential_of(request, csrf))
        door.authorise(found, action)
        _check_query(request)
        return found

    caller.__dict__["action"] = action
    return caller


def _check_query(request: Request) -> None:
    """Raise `UsageError` where a request to the API asks for something that its route does not know.

    A misspelt `as_of` would otherwise be answered with the present.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not request.url.path.startswith(_API):
        return
    known = _parameters(route.dependant)
    if unknown := sorted(request.query_params.keys() - known):
        named = ", ".join(sorted(known)) or "nothing"
        raise UsageError(f"{unknown[0][:40]!r} is no parameter here; this address takes {named}")


def _parameters(dependant: Dependant) -> set[str]:
    """Return the names that a route and what it depends on read from a query."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*map(_parameters, dependant.dependencies))


def credential_of(request: Request, csrf: str = "") -> Credential:
    """Read the credential of a request; tokens, other than cookies, are never sent by a browser on its own."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if header and scheme.lower() != "bearer":
        raise Unauthenticated("the Authorization header must be of the form: Bearer TOKEN")
    if token:
        return Credential(token=token.strip(), confirmation=request.headers.get(CONFIRMATION_HEADER, ""))
    session = cookies.session_of(request)
    if session:
        cookies.check_unsafe(request, session, csrf)
    return Credential(session=session, unattended=_by_itself(request))


def _by_itself(request: Request) -> bool:
    """Return whether a live part of a page asks; a search asks for the whole page, `main`."""
    live = request.headers.get("hx-target", "main") != "main"
    return live or "text/event-stream" in request.headers.get("accept", "")


def still_allowed(request: Request, action: str) -> bool:
    """Return whether who opened a stream may still read it: access may have ended meanwhile."""
    door = cast("Door", request.app.state.door)
    try:
        door.authorise(door.authenticate(credential_of(request)), action)
    except RingfenceError:
        return False
    return True


def problem(error: RingfenceError, *, instance: str = "") -> dict[str, Any]:
    """Return an error as RFC 9457 problem details."""
    document: dict[str, Any] = {
        "type": f"urn:ringfence:problem:{error.slug}",
        "title": type(error).__doc__ or type(error).__name__,
        "status": error.http_status,
        "detail": str(error),
    }
    if instance:
        document["instance"] = instance
    if isinstance(error, MalformedInput):
        document |= {"source": error.source, "line": error.line, "column": error.column}
    return document


def refusal(error: RingfenceError, *, instance: str = "") -> JSONResponse:
    """Return the answer that says an error in problem details."""
    document = problem(error, instance=instance)
    return JSONResponse(document, status_code=error.http_status, media_type="application/problem+json")


def posted_bytes(text: str, source: str) -> bytes:
    """Decode the base64 of a posted field; raise `MalformedInput` naming the field."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"not base64: {error}", source=source) from error


class PostedStatement(BaseModel):
    """The body of every request that brings a signed statement; routes that need more extend it."""

    model_config = ConfigDict(extra="forbid")
    envelope: str = Field(max_length=2 * MAX_ENVELOPE)
    opening: str | None = Field(default=None, max_length=2 * MAX_DETAILS)

    def parsed(self) -> tuple[Envelope, Opening | None]:
        """Return envelope and side record; raise `MalformedInput`."""
        envelope = parse(posted_bytes(self.envelope, "envelope"), source="envelope")
        return envelope, parse_opening(self.opening) if self.opening else None


def install(app: FastAPI) -> None:
    """Turn every error into problem details, and bound every body."""

    def on_error(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, RingfenceError) else _translated(error)
        if isinstance(known, Unauthenticated) and _wants_page(request):
            return RedirectResponse("/login", status_code=303)
        pages: ProblemPages | None = getattr(request.app.state, "pages", None)
        if pages is not None and _wants_page(request):
            return pages.problem(request, known)
        return refusal(known, instance=request.url.path)

    for kind in (RingfenceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, on_error)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _translated(error: Exception) -> RingfenceError:
    match error:
        case RequestValidationError():
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return MalformedInput(f"{first['msg']}", source=place)
        case HTTPException(status_code=404):
            return NotFound("there is nothing at this address")
        case HTTPException():
            return UsageError(f"this address does not take that request ({error.detail})")
        case _:
            return InternalError("something in Ringfence itself failed; its log has the details")
