"""People sign in at a real OpenID provider, a process of its own, and are whom its subject means here."""

import json

import httpx
import pytest

from ringfence.frontends.cookies import CSRF_HEADER, csrf_of
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.home import ADDRESS, TENANT
from ringfence.testing.provider import provider, signed_in


@pytest.fixture(scope="module")
def issuer():
    with provider() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def installed(made_now, tmp_path_factory):
    home = made_now.copy(tmp_path_factory.mktemp("elsewhere") / "home")
    with home.services() as services:
        yield home, services, create_app(services)


@pytest.fixture
def home(installed):
    return installed[0]


@pytest.fixture
def services(installed, home, issuer):
    file = home.path / "oidc.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"issuer": issuer, "clientId": "ringfence", "clientSecret": "s", "console": ADDRESS}))
    return installed[1]


@pytest.fixture
def browser(installed, services, home):
    with home.http(services, role=None, app=installed[2]) as http:
        yield http


@pytest.fixture
def linked(services, home, issuer):
    """The security officer is known to the provider as `ada`."""
    person, federation = home.people[Role.SECURITY].id, services.access.federation
    federation.link(home.actor(), person, issuer, "ada")
    yield person
    if federation.aliases.whose(TENANT, issuer, "ada"):
        federation.unlink(home.actor(), issuer, "ada")


def left(browser, **query):
    answer = browser.get("/login/oidc", params=query)
    assert answer.status_code == 303
    return answer.headers["location"]


def came_back(browser, brought):
    return browser.get("/login/oidc/callback", params=brought)


def test_whoever_the_provider_vouches_for_is_let_in(browser, linked, issuer):
    address = left(browser)
    assert address.startswith(f"{issuer}/oauth2/authorize?")
    answer = came_back(browser, signed_in(address, "ada"))
    assert answer.status_code == 200
    assert browser.get("/api/v1/me").json()["person"] == linked
    assert "ringfence_login" not in browser.cookies


@pytest.mark.usefixtures("linked")
def test_the_word_of_a_provider_takes_no_dangerous_act(browser, home):
    came_back(browser, signed_in(left(browser), "ada"))
    page = {"origin": ADDRESS, CSRF_HEADER: csrf_of(browser.cookies["ringfence_session"])}
    person = home.people[Role.AUDITOR].id
    answer = browser.post(f"/api/v1/people/{person}/remove", json={"reason": "left"}, headers=page)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("step-up-required")


@pytest.mark.usefixtures("linked")
def test_nobody_is_made_of_a_stranger(browser, services):
    before = services.identity.register(TENANT)
    answer = came_back(browser, signed_in(left(browser), "eve"))
    assert answer.status_code == 401
    assert "nobody is enrolled here" in answer.text
    assert services.identity.register(TENANT) == before
    assert browser.get("/api/v1/me").status_code == 401


@pytest.mark.usefixtures("linked")
def test_an_answer_is_taken_once(browser):
    address = left(browser)
    secret = browser.cookies["ringfence_login"]
    brought = signed_in(address, "ada")
    assert came_back(browser, brought).status_code == 200
    browser.cookies.clear()
    browser.cookies.set("ringfence_login", secret)
    assert came_back(browser, brought).status_code == 401


@pytest.mark.usefixtures("linked")
def test_an_answer_belongs_to_the_browser_that_left(browser):
    brought = signed_in(left(browser), "ada")
    browser.cookies.clear()
    assert came_back(browser, brought).status_code == 401
    left(browser)  # another login of this browser: the first one's answer does not fit it
    assert came_back(browser, brought).status_code == 401


@pytest.mark.usefixtures("linked")
def test_a_code_of_another_login_is_not_exchanged(browser):
    """Injected: the attacker's code under the victim's state; PKCE, or the nonce, tells."""
    stolen = signed_in(left(browser), "ada")["code"]
    browser.cookies.clear()
    brought = signed_in(left(browser), "ada")
    assert came_back(browser, brought | {"code": stolen}).status_code == 401


@pytest.mark.usefixtures("linked")
def test_an_answer_of_another_provider_is_refused(browser):
    brought = signed_in(left(browser), "ada")
    assert came_back(browser, brought | {"iss": "https://evil.example"}).status_code == 401


def test_a_removed_person_is_refused(browser, services, home, issuer):
    leaver = home.people[Role.MANAGEMENT].id
    services.access.federation.link(home.actor(), leaver, issuer, "bob")
    services.identity.remove(leaver, by=home.actor(), left_at=None, reason="left")
    assert came_back(browser, signed_in(left(browser), "bob")).status_code == 401


@pytest.mark.usefixtures("linked")
def test_a_subject_means_somebody_in_its_own_tenant_only(browser):
    assert came_back(browser, signed_in(left(browser, tenant="other"), "ada")).status_code == 401


@pytest.mark.usefixtures("linked")
def test_an_unlinked_account_opens_nothing(browser, services, home, issuer):
    services.access.federation.unlink(home.actor(), issuer, "ada")
    assert came_back(browser, signed_in(left(browser), "ada")).status_code == 401


@pytest.mark.parametrize("query", ["", "state=x", "state=x&state=y", "code=" + "x" * 5000, "error=access_denied"])
def test_other_answers_are_none(browser, query):
    left(browser)
    assert browser.get(f"/login/oidc/callback?{query}").status_code == 401


@pytest.mark.usefixtures("linked")
def test_a_provider_that_is_away_is_named(browser, services, issuer):
    address = left(browser)
    brought = signed_in(address, "ada")
    object.__setattr__(services.access.federation.provider, "_metadata", None)
    file = services.home.path / "oidc.json"
    file.write_text(file.read_text().replace(issuer, "http://127.0.0.1:9"))
    answer = came_back(browser, brought)
    assert answer.status_code == 401
    assert "does not answer" in answer.text


def test_without_a_provider_there_is_no_such_way_in(browser, services):
    (services.home.path / "oidc.json").unlink()
    assert browser.get("/login/oidc").status_code == 404


@pytest.mark.usefixtures("linked")
def test_the_session_comes_from_a_page_of_ours(browser):
    """The cookie of a session is not sent along with what another site began: the next step is ours."""
    answer = came_back(browser, signed_in(left(browser), "ada"))
    assert 'http-equiv="refresh"' in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie


def test_the_provider_itself_is_real(issuer):
    assert httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).json()["issuer"] == issuer
