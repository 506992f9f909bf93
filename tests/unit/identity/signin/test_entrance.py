from contextlib import suppress
from dataclasses import replace

import pytest

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.frontends.client import posted
from ringfence.frontends.cookies import CSRF_HEADER, csrf_of
from ringfence.identity.service import hashed
from ringfence.identity.signin.lockout import ASKED
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import TooManyAttempts, Unauthenticated
from ringfence.server import create_app
from ringfence.settings import CONFIRMATION_HEADER
from ringfence.storage import keyfile
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.home import ADDRESS, make, signed
from ringfence.workloads.practice import ground

HERE = {"origin": ADDRESS}
SESSION = "ringfence_session"


@pytest.fixture
def key():
    return Authenticator(ADDRESS.replace("127.0.0.1", "localhost"))


@pytest.fixture
def browser(services, home):
    with home.http(services, role=None, app=create_app(services)) as http:
        yield http


def ours(browser):
    return HERE | {CSRF_HEADER: csrf_of(browser.cookies[SESSION])}


def come_by_link(browser, services, home, role=Role.OWNER):
    browser.get("/login", params={"token": services.identity.issue_link(home.actor(role))})
    return browser.cookies[SESSION]


def enrol(browser, key):
    options = browser.post("/signin/passkeys/ask", headers=ours(browser)).json()
    return browser.post("/signin/passkeys", json=key.create(options), headers=ours(browser))


def sign_in(browser, key):
    options = browser.post("/login/ask", headers=HERE).json()
    return browser.post("/login/passkey", json=key.get(options), headers=HERE)


@pytest.fixture
def signed_in(browser, services, home, key):
    come_by_link(browser, services, home)
    assert enrol(browser, key).status_code == 201
    assert sign_in(browser, key).json() == {"to": "/"}
    return browser


def test_a_passkey_opens_a_session_in_the_place_of_the_old_one(browser, services, home, key):
    link = come_by_link(browser, services, home)
    enrol(browser, key)
    answer = sign_in(browser, key)
    assert answer.status_code == 200
    assert browser.cookies[SESSION] != link
    assert browser.get("/api/v1/me/sign-in").json()["level"] == "passkey"
    browser.cookies.clear()
    browser.cookies.set(SESSION, link)
    assert browser.get("/api/v1/me").status_code == 401


def test_a_planted_session_is_not_raised(browser, services, home, key):
    """Fixation: an attacker plants the cookie of a session of their own, and the person signs in over it."""
    planted = come_by_link(browser, services, home, Role.ENGINEER)
    browser.cookies.clear()
    come_by_link(browser, services, home)
    enrol(browser, key)
    browser.cookies.clear()
    browser.cookies.set(SESSION, planted)
    sign_in(browser, key)
    browser.cookies.clear()
    browser.cookies.set(SESSION, planted)
    assert browser.get("/api/v1/me").status_code == 401


def test_confirming_makes_a_new_secret(signed_in, key):
    before = signed_in.cookies[SESSION]
    options = signed_in.post("/signin/confirm/ask", headers=ours(signed_in)).json()
    answer = signed_in.post("/signin/confirm", json=key.get(options), headers=ours(signed_in))
    assert answer.json() == {"csrf": csrf_of(signed_in.cookies[SESSION])}
    assert signed_in.cookies[SESSION] != before


@pytest.mark.parametrize("path", ["/login/ask", "/login/passkey", "/login/code", "/login/recovery"])
@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, HERE | {"sec-fetch-site": "cross-site"}])
def test_no_other_site_signs_somebody_in(browser, path, headers):
    """Login CSRF: a page elsewhere must not put its own session into the browser of a person."""
    body = {"id": "AAAA", "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}}
    assert browser.post(path, json=body, headers=headers).status_code == 403
    assert not browser.cookies


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 401), ("same-site", 401), ("none", 303), ("same-origin", 303)]
)
def test_no_other_site_opens_somebody_elses_link_here(browser, services, home, site, status):
    link = services.identity.issue_link(home.actor(Role.ENGINEER))
    answer = browser.get("/login", params={"token": link}, headers={"sec-fetch-site": site})
    assert answer.status_code == status
    assert bool(browser.cookies) is (status == 303)


def test_another_console_leads_into_a_practice_where_everybody_is_made_up(tmp_path, clock):
    home = make(tmp_path / "practice", clock, demo=True, log=ground.origin())
    with home.services(clock) as services, home.http(services, role=None) as http:
        link = {"token": services.identity.issue_link(home.actor())}
        answer = http.get("/login", params=link, headers={"sec-fetch-site": "cross-site"})
        assert (answer.status_code, 'content="0; url=/practise"' in answer.text) == (200, True)
        assert http.cookies[SESSION]
        assert http.get("/login", params=link).status_code == 401, "once"


def test_a_place_that_keeps_failing_is_slowed_down(signed_in, key):
    stranger = Authenticator(key.origin, handle=key.handle)
    for _ in range(ASKED.free - 1):  # the fixture has signed in, which took its question back
        assert sign_in(signed_in, stranger).status_code == 401
    assert signed_in.post("/login/ask", headers=HERE).status_code == 200
    assert signed_in.post("/login/ask", headers=HERE).status_code == 429


def test_what_is_no_answer_of_a_browser_is_a_sentence(browser):
    answer = browser.post("/login/passkey", json={"id": 1}, headers=HERE)
    assert answer.status_code == 422


@pytest.mark.usefixtures("signed_in")
def test_a_dangerous_act_by_a_bare_token_names_the_console(services, home):
    with home.http(services) as http:
        answer = http.post(f"/api/v1/people/{home.people[Role.ENGINEER].id}/remove", json={"reason": "left"})
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:ringfence:problem:step-up-required"
        assert "/signin" in answer.json()["detail"]
        assert http.get("/api/v1/people").status_code == 200
    with home.http(services, Role.SECURITY) as http:  # has no passkey: the token does what the role permits
        assert http.post(f"/api/v1/people/{home.people[Role.ENGINEER].id}/remove", json={"reason": "left"}).is_success


def test_an_owner_resets_somebody_who_lost_every_way_in(browser, services, home, key):
    come_by_link(browser, services, home, Role.ENGINEER)
    enrol(browser, key)
    person = home.people[Role.ENGINEER].id
    with home.http(services) as http:
        assert http.post(f"/api/v1/people/{person}/reset").json() == {"person": person, "passkeys": 1}
        assert http.post(f"/api/v1/people/{home.people[Role.OWNER].id}/reset").status_code == 403
    with home.http(services, Role.ENGINEER) as http:
        assert http.post(f"/api/v1/people/{person}/reset").status_code == 403
    assert sign_in(browser, key).status_code == 401


def test_a_passkey_does_not_raise_the_session_of_somebody_else(signed_in, services, home, key):
    """The thief of a session has a token and a passkey of their own, and asks with both at once."""
    stolen = services.signin.sessions.open(owner_of(home.actor(Role.ENGINEER)), Level.TOTP)
    signed_in.cookies.clear()
    signed_in.cookies.set(SESSION, stolen)
    mine = {"authorization": f"Bearer {home.people[Role.OWNER].token}"}
    options = signed_in.post("/signin/confirm/ask", headers=mine).json()
    assert signed_in.post("/signin/confirm", json=key.get(options), headers=mine).status_code == 401
    assert services.signin.sessions.caller(stolen).assurance.level is Level.TOTP


def test_a_code_for_a_terminal_gets_no_other_code_and_changes_no_way_in(signed_in, services, home):
    """Else whoever has token and code renews the code for ever, or enrols a passkey of their own."""
    code = services.signin.confirm_terminal(owner_of(home.actor()))
    headers = {"authorization": f"Bearer {home.people[Role.OWNER].token}", CONFIRMATION_HEADER: code}
    signed_in.cookies.clear()
    for path in ("/signin/terminal", "/signin/recovery", "/signin/totp", "/signin/passkeys/ask"):
        answer = signed_in.post(path, headers=headers)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "urn:ringfence:problem:step-up-required"


def test_a_passkey_that_is_removed_takes_along_what_it_opened(signed_in, services, home, key):
    another = services.signin.sessions.open(owner_of(home.actor()), Level.PASSKEY)
    code = services.signin.confirm_terminal(owner_of(home.actor()))
    link = services.identity.issue_link(home.actor())
    enrol(signed_in, Authenticator(key.origin))
    removed = services.signin.passkeys.passkeys.of(owner_of(home.actor()))[0].id
    assert signed_in.post(f"/signin/passkeys/{removed}/remove", headers=ours(signed_in)).status_code == 303
    with pytest.raises(Unauthenticated):
        services.signin.sessions.caller(another)
    with pytest.raises(Unauthenticated):
        services.identity.redeem(link)
    assert not services.signin.by_token(home.actor(), code).assurance.stepped_up
    assert signed_in.get("/api/v1/me").status_code == 200  # the session that asked goes on


def test_the_root_gives_a_sole_owner_who_lost_every_way_in_a_new_beginning(signed_in, services, home):
    """The root's signature stands for the passkey; the new owner then resets the old one."""
    again = NewPerson.make("A owner again", Role.OWNER)
    root = replace(again, seed=keyfile.load(home.path / "keys" / "root.json", None).secret("root"))
    draft = operator_enrolled(again, "file-plain", services.clock.now())
    body = posted(*signed(services, root, draft)) | {
        "name": again.name,
        "role": "owner",
        "token_hash": hashed(again.token).hex(),
    }
    signed_in.cookies.clear()
    mine = {"authorization": f"Bearer {home.people[Role.OWNER].token}"}
    assert signed_in.post(f"/api/v1/people/{home.people[Role.ENGINEER].id}/reset", headers=mine).status_code == 403
    assert signed_in.post("/api/v1/people", headers=mine, json=body).status_code == 201
    theirs = {"authorization": f"Bearer {again.token}"}
    path = f"/api/v1/people/{home.people[Role.OWNER].id}/reset"
    assert signed_in.post(path, headers=theirs).json()["passkeys"] == 1


def test_leaving_ends_the_codes_for_a_terminal(signed_in, services, home):
    code = services.signin.confirm_terminal(owner_of(home.actor()))
    signed_in.post("/logout", headers=ours(signed_in))
    assert not services.signin.by_token(home.actor(), code).assurance.stepped_up


def test_a_place_that_only_asks_is_slowed_down_and_others_are_not(browser, services):
    codes = [browser.post("/login/ask", headers=HERE).status_code for _ in range(ASKED.free + 1)]
    assert codes == [200] * ASKED.free + [429]
    services.signin.guard.ask("192.0.2.1")


def test_guesses_of_codes_do_not_keep_a_passkey_out(signed_in, services, key):
    with suppress(TooManyAttempts):
        while True:
            services.signin.guard.enter(place="127.0.0.1")
    assert sign_in(signed_in, key).status_code == 200
