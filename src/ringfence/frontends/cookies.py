"""The session's cookie, and how a request by session shows that our own page made it.

A browser sends cookies along with what other sites make it ask. So whatever changes something by session has to come
from our own origin, and to bring a token that only our own pages know: the hash of the session's secret.
"""

import hashlib
import hmac
import html
from typing import Literal
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ringfence.frontends import multipart
from ringfence.kernel.errors import Refused

SESSION_COOKIE = "ringfence_session"
BROWSER_COOKIE = "ringfence_browser"  # what a question to an authenticator is bound to before there is a session
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-ringfence-csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"
_INSIDE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Signed in</title>'
    '<meta http-equiv="refresh" content="0; url={to}"><p><a href="{to}">Go on</a></p></html>'
)
_FOREIGN = "this request came from another site; open the console itself and try again"


def named(request: Request, cookie: str) -> str:
    """Return a cookie's name: over TLS with the prefix that binds it to this very host, and to TLS."""
    return f"__Host-{cookie}" if request.url.scheme == "https" else cookie


def read(request: Request, cookie: str) -> str:
    """Return a cookie, or nothing."""
    return request.cookies.get(named(request, cookie), "")


def session_of(request: Request) -> str:
    """Return the secret of the session, or nothing."""
    return read(request, SESSION_COOKIE)


def keep(
    request: Request,
    answer: Response,
    cookie: str,
    value: str,
    *,
    seconds: int,
    samesite: Literal["strict", "lax"] = "strict",
) -> None:
    """Put a cookie on an answer; no script reads it and, unless lax, no other site makes the browser send it."""
    answer.set_cookie(
        named(request, cookie),
        value,
        max_age=seconds,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite=samesite,
        path="/",
    )


def drop(request: Request, answer: Response, cookie: str) -> None:
    """Make the browser forget a cookie."""
    answer.delete_cookie(
        named(request, cookie), path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )


def inside(to: str) -> Response:
    """Return the answer to whom another site sent here and who is let in: a page of ours that goes on by itself.

    The session's cookie is not sent along with what another site began, and a redirect would still count as that.
    """
    return HTMLResponse(_INSIDE.format(to=html.escape(to)), headers={"cache-control": "no-store"})


def csrf_of(session: str) -> str:
    """Return the token that pages of a session carry; it tells nothing of the session's secret."""
    return hashlib.sha256(b"urn:ringfence:csrf:v1\n" + session.encode()).hexdigest() if session else ""


async def shown_token(request: Request) -> str:
    """Return the token that a request brought: in a header, or in a form's field."""
    if request.method in SAFE_METHODS:
        return ""
    header = request.headers.get(CSRF_HEADER, "")
    if not header and (upload := await multipart.sent(request)) is not None:
        return upload.fields.get(CSRF_FIELD, "")
    if header or request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return header
    return (await form_of(request)).get(CSRF_FIELD, "")


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the last of each name."""
    if request._form is not None:  # noqa: SLF001 - a route that declares fields has read the stream already
        return {name: value for name, value in request._form.multi_items() if isinstance(value, str)}  # noqa: SLF001
    if (upload := await multipart.sent(request)) is not None:
        return upload.fields
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=500)  # a long form ticks hundreds of boxes
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def check_origin(request: Request) -> None:
    """Refuse a request that another site made a browser send; raise `Refused`."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(_FOREIGN)
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if not host or origin not in {f"http://{host}", f"https://{host}"}:
        raise Refused(_FOREIGN)


def check_unsafe(request: Request, session: str, token: str) -> None:
    """Refuse a request by session that changes something, unless our own page made it; raise `Refused`."""
    if request.method in SAFE_METHODS:
        return
    check_origin(request)
    if not hmac.compare_digest(token.encode(), csrf_of(session).encode()):
        raise Refused("this page is from before you signed in, or not ours; reload it and try again")
