"""What every route shares: who is asking, whether Cedar lets them, and problem details for every error.

A route takes its caller by `Depends(require("dataset.read"))`. A route without it is refused by an architecture
test, so that no route can be open by oversight.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import MAX_DETAILS, Opening, parse_opening
from ringfence.kernel.envelope import MAX_ENVELOPE, Envelope, parse
from ringfence.kernel.errors import (
    InternalError,
    MalformedInput,
    NotFound,
    Refused,
    RingfenceError,
    Unauthenticated,
    UsageError,
)

SESSION_COOKIE = "ringfence_session"
MAX_BODY = 8 * 2**20  # the largest honest body is an envelope with its side record: below 5 MiB
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought along to say who it is from: an API token or a session, never both."""

    token: str = ""
    session: str = ""


class Door(Protocol):
    """Who is asking, and may they?"""

    def authenticate(self, credential: Credential) -> Person:
        """Return the person behind a credential; raise `Unauthenticated`."""
        ...

    def authorise(self, person: Person, action: str) -> None:
        """Return where the policies permit `action` in the person's tenant; raise `Refused`."""
        ...


class ProblemPages(Protocol):
    """Show an error to a person; found as `app.state.pages` where the app has a console."""

    def problem(self, request: Request, error: RingfenceError) -> Response:
        """Return the error as a page."""
        ...


def require(action: str) -> Callable[[Request], Person]:
    """Return the dependency that authenticates the caller and asks the policies for `action`."""

    def caller(request: Request) -> Person:
        door = cast("Door", request.app.state.door)
        person = door.authenticate(credential_of(request))
        door.authorise(person, action)
        return person

    caller.__dict__["action"] = action
    return caller


def credential_of(request: Request) -> Credential:
    """Read the credential of a request.

    A session cookie travels with requests that other sites make, so an unsafe request by session must also say
    that it comes from our own origin; tokens are never sent by a browser on its own.
    """
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if header and scheme.lower() != "bearer":
        raise Unauthenticated("the Authorization header must be of the form: Bearer TOKEN")
    if token:
        return Credential(token=token.strip())
    session = request.cookies.get(SESSION_COOKIE, "")
    if session and request.method not in _SAFE_METHODS and not _same_origin(request):
        raise Refused("this request came from another site; open the console itself and try again")
    return Credential(session=session)


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    return bool(host) and origin in {f"http://{host}", f"https://{host}"}


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
        return JSONResponse(
            problem(known, instance=request.url.path),
            status_code=known.http_status,
            media_type="application/problem+json",
        )

    for kind in (RingfenceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, on_error)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


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
