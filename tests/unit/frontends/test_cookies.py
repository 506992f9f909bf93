import pytest
from anyio.from_thread import start_blocking_portal
from starlette.requests import Request
from starlette.responses import Response

from ringfence.frontends import cookies
from ringfence.kernel.errors import Refused

HOST = "console.example.eu"


def request(method="POST", *, body=b"", scheme="http", **headers):
    named = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "scheme": scheme,
        "query_string": b"csrf=from-the-address",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "server": (HOST, 443),
    }
    return Request(scope, receive)


def awaited(function, made):
    with start_blocking_portal() as portal:
        return portal.call(function, made)


OUR_PAGE = {"origin": f"http://{HOST}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": f"http://{HOST}.evil.example"},
        {"origin": f"http://evil.example/{HOST}"},
        {"origin": f"ftp://{HOST}"},
        OUR_PAGE | {"sec_fetch_site": "cross-site"},
        OUR_PAGE | {"sec_fetch_site": "same-site"},
        OUR_PAGE | {"sec_fetch_site": "none"},
        {"origin": "http://", "host": ""},
    ],
)
def test_another_site_changes_nothing(headers):
    with pytest.raises(Refused, match="another site"):
        cookies.check_unsafe(request(**headers), "secret", cookies.csrf_of("secret"))


@pytest.mark.parametrize("token", ["", "x", "secret", cookies.csrf_of("another"), cookies.csrf_of("secret")[:-1], "é"])
def test_a_page_of_another_session_changes_nothing(token):
    with pytest.raises(Refused, match="before you signed in"):
        cookies.check_unsafe(request(**OUR_PAGE), "secret", token)


def test_our_own_page_changes_something_and_anybody_may_read():
    cookies.check_unsafe(request(**OUR_PAGE), "secret", cookies.csrf_of("secret"))
    cookies.check_unsafe(request("GET"), "secret", "")


def test_the_token_comes_in_a_header_or_a_form_and_never_in_an_address():
    form = {"content_type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert awaited(cookies.shown_token, request(x_ringfence_csrf="t")) == "t"
    assert awaited(cookies.shown_token, request(body=b"a=1&csrf=t", **form)) == "t"
    assert awaited(cookies.shown_token, request(body=b"csrf=t", content_type="text/plain")) == ""
    assert awaited(cookies.shown_token, request(body=b"&" * 500 + b"a=1" * 99, **form)) == ""
    assert awaited(cookies.shown_token, request("GET")) == ""


def test_over_tls_a_cookie_is_bound_to_host_and_tls():
    answer = Response()
    made = request(scheme="https")
    cookies.keep(made, answer, cookies.SESSION_COOKIE, "s", seconds=9)
    said = answer.headers["set-cookie"].lower()
    assert said.startswith("__host-ringfence_session=s;")
    assert {"secure", "httponly", "path=/", "samesite=strict"} <= {part.strip() for part in said.split(";")}
    assert "domain" not in said
    # What was planted without TLS, or by a neighbour of the host, is not read.
    assert cookies.session_of(request(scheme="https", cookie="ringfence_session=planted")) == ""
    assert cookies.session_of(request(scheme="https", cookie="__Host-ringfence_session=s")) == "s"


def test_the_token_of_a_page_tells_nothing_of_the_session():
    assert "secret" not in cookies.csrf_of("secret")
    assert cookies.csrf_of("") == ""
