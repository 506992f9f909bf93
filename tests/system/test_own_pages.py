"""Whatever changes something by session is asked for by a page of ours: every route of the app, as it is built."""

import pytest

from ringfence.frontends.cookies import CSRF_HEADER, csrf_of
from ringfence.server import create_app
from ringfence.testing.home import ADDRESS
from ringfence.testing.routes import routes_of

SAFE = {"GET", "HEAD", "OPTIONS"}
HERE = {"origin": ADDRESS}


@pytest.fixture
def browser(services, home):
    app = create_app(services)
    with home.http(services, role=None, app=app) as http:
        http.get("/login", params={"token": services.identity.issue_link(home.actor())})
        http.unsafe = [
            (route.method, route.path) for route in routes_of(app) if route.method not in SAFE and route.action
        ]
        http.entrances = [route.path for route in routes_of(app) if route.method not in SAFE and not route.action]
        yield http


def answers(browser, headers):
    for method, path in browser.unsafe:
        yield f"{method} {path}", browser.request(method, path, json={}, headers=headers)


def test_there_is_something_to_protect(browser):
    assert len(browser.unsafe) > 40
    assert {"/login/ask", "/login/passkey", "/login/code", "/login/recovery"} <= set(browser.entrances)


@pytest.mark.parametrize("forged", [{}, {CSRF_HEADER: ""}, {CSRF_HEADER: csrf_of("another")}])
def test_a_page_that_does_not_know_the_token_changes_nothing(browser, forged):
    wrong = [
        name
        for name, answer in answers(browser, HERE | forged)
        if answer.status_code != 403 or "before you signed in" not in answer.text
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "forged",
    [{}, {"origin": "https://evil.example"}, {"origin": "null"}, HERE | {"sec-fetch-site": "cross-site"}],
)
def test_a_page_of_another_site_changes_nothing_even_with_the_token(browser, forged):
    token = {CSRF_HEADER: csrf_of(browser.cookies["ringfence_session"])}
    wrong = [
        name
        for name, answer in answers(browser, token | forged)
        if answer.status_code != 403 or "another site" not in answer.text
    ]
    assert wrong == []
    open_to_others = [
        path for path in browser.entrances if browser.post(path, json={}, headers=forged).status_code == 200
    ]
    assert open_to_others == []


def test_no_page_is_shown_inside_another(browser):
    for answer in [*(answer for _, answer in answers(browser, {})), browser.get("/signin"), browser.get("/login")]:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
