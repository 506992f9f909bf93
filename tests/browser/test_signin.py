"""A real browser with a virtual authenticator: enrol, sign in, confirm, and everything that must not work."""

import base64
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.console import served_at
from ringfence.testing.home import TENANT
from ringfence.testing.signin import CountingHasher

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def services(services):
    """The wired services, but for the hash that is slow on purpose: ten codes of it are seconds of a busy machine."""
    codes = replace(services.signin.codes, hasher=CountingHasher())
    return replace(services, signin=replace(services.signin, codes=codes))


@pytest.fixture
def console(services):
    """The address of the console of an installation of the test's own, by the name that passkeys are bound to."""
    with served_at(lambda address: create_app(services, console=address)) as address:
        yield address


@pytest.fixture
def tab(context):
    """A tab that fails the test when the page throws, breaks its own policy or asks another host."""
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda sent: None if "://localhost:" in sent.url else wrong.append(f"asked {sent.url}"))
    yield page
    assert wrong == []


class Authenticator:
    """What Chromium shows to a page as a security key with a fingerprint reader."""

    def __init__(self, tab):
        self.session = tab.context.new_cdp_session(tab)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def passkeys(self):
        return self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]

    def recognises(self, yes):
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": yes})

    def add(self, credential):
        self.session.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})

    def clear(self):
        self.session.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


@pytest.fixture
def authenticator(tab):
    return Authenticator(tab)


def come_by_link(tab, services, home, console, role=Role.OWNER):
    tab.goto(f"{console}/login?token={services.identity.issue_link(home.actor(role))}")
    tab.goto(f"{console}/signin")


def enrol(tab, name="laptop"):
    tab.get_by_label("Name of a new passkey").fill(name)
    tab.get_by_role("button", name="Enrol a passkey").click()
    expect(tab.get_by_role("row", name=re.compile(name))).to_be_visible()


def leave(tab):
    tab.get_by_role("button", name="Sign out").click()
    expect(tab).to_have_url(re.compile("/login$"))


def take_codes(tab):
    tab.get_by_role("button", name="Take ten codes").click()
    expect(tab.locator(".codes li")).to_have_count(10)


def sign_in(tab):
    tab.get_by_role("button", name="Sign in with a passkey").click()


@pytest.fixture
def signed_in(tab, services, home, console, authenticator):  # noqa: ARG001  # it answers the browser
    """A person with one passkey, signed in with it."""
    come_by_link(tab, services, home, console)
    enrol(tab)
    leave(tab)
    sign_in(tab)
    expect(tab).to_have_url(f"{console}/")
    tab.goto(f"{console}/signin")
    return tab


def statements(services, *names):
    services.ledger.integrate()
    return [s.envelope.statement for s in services.ledger.statements(TENANT) if s.envelope.statement.predicate in names]


def test_enrol_and_sign_in(signed_in, services, home, console):
    expect(signed_in.locator(".lead")).to_contain_text("You came in by a passkey; your passkey confirmed it")
    (enrolled,) = statements(services, "passkey.enrolled")
    assert enrolled.claims["person"] == home.people[Role.OWNER].id
    assert enrolled.claims["origin"] == console
    assert (enrolled.claims["rpId"], enrolled.claims["basis"]) == ("localhost", "link")


def test_a_dangerous_act_asks_for_the_passkey_and_is_repeated(signed_in, services, clock, authenticator):
    clock.advance(timedelta(minutes=6))
    signed_in.reload()
    expect(signed_in.locator(".lead")).not_to_contain_text("confirmed it")
    authenticator.recognises(False)  # somebody else's finger
    signed_in.get_by_role("button", name="Take ten codes").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("The browser gave no passkey")
    assert not statements(services, "recovery.issued")
    authenticator.recognises(True)
    take_codes(signed_in)
    assert statements(services, "recovery.issued")[0].claims["codes"] == 10


def test_a_passkey_is_good_at_its_own_address_only(signed_in, services, console, authenticator):
    # The same server under another name: the browser keeps passkeys to the name they were made for.
    elsewhere = console.replace("localhost", "127.0.0.1")
    page = signed_in.context.new_page()
    page.goto(f"{elsewhere}/login")
    sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("Passkeys do not work at")
    page.close()
    # Another program on this machine has the same host and another port: the browser signs that, and we refuse it.
    with served_at(lambda _address: create_app(services, console="http://localhost:1")) as program:
        page = signed_in.context.new_page()
        other = Authenticator(page)
        for passkey in authenticator.passkeys():
            other.add(passkey)
        page.goto(f"{program}/login")
        sign_in(page)
        expect(page.get_by_role("alert")).to_contain_text("does not open anything here")
        page.close()


def test_a_passkey_that_was_removed_opens_nothing(signed_in, services, authenticator):
    kept = authenticator.passkeys()
    signed_in.get_by_role("row", name=re.compile("laptop")).get_by_role("button", name="Remove").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("this is your last passkey")
    take_codes(signed_in)
    signed_in.get_by_role("row", name=re.compile("laptop")).get_by_role("button", name="Remove").click()
    expect(signed_in.locator(".lead")).to_contain_text("0 passkeys")
    assert statements(services, "passkey.removed")[0].claims["reason"] == "removed"
    leave(signed_in)
    assert authenticator.passkeys() == kept
    sign_in(signed_in)
    expect(signed_in.get_by_role("alert")).to_contain_text("does not open anything here")


def test_an_answer_is_good_once_and_in_its_own_browser(signed_in, console):
    sent = []
    signed_in.on("request", lambda each: sent.append(each.post_data) if each.url.endswith("/login/passkey") else None)
    leave(signed_in)
    sign_in(signed_in)
    expect(signed_in).to_have_url(f"{console}/")
    again = {"data": sent[0], "headers": {"content-type": "application/json", "origin": console}}
    for context in (signed_in.request, signed_in.context.browser.new_context().request):
        answer = context.post(f"{console}/login/passkey", **again)
        assert answer.status == 401
        assert "this browser was not asked" in answer.json()["detail"]


PASSPHRASE = "correct horse battery"


def app_code(services, home, clock):
    """The code that an app would show now."""
    from pyotp import TOTP

    desk = services.signin.codes
    owner = owner_of(home.actor())
    secret = desk.vault.unseal(f"totp\n{TENANT}\n{owner.person}", desk.codes.totp(owner).sealed)
    return TOTP(base64.b32encode(secret).decode()).at(clock.now())


def test_a_passphrase_with_a_code_signs_in_once_per_code_and_does_nothing_dangerous(
    tab, services, home, console, clock
):
    come_by_link(tab, services, home, console)
    tab.locator("#passphrase").fill(PASSPHRASE)
    tab.get_by_role("button", name="Add an authenticator app").click()
    expect(tab.get_by_role("img", name="Picture for an authenticator app")).to_be_visible()
    tab.get_by_label("Code", exact=True).fill(app_code(services, home, clock))
    tab.get_by_role("button", name="Confirm", exact=True).click()
    expect(tab.locator("main")).to_contain_text("An authenticator app counts since")
    leave(tab)
    assert statements(services, "totp.enrolled")
    used = app_code(services, home, clock)
    by_code(tab, home, used)
    expect(tab.get_by_role("alert")).to_contain_text("does not open anything")  # the enrolment used it up
    clock.advance(timedelta(seconds=60))
    by_code(tab, home, app_code(services, home, clock))
    expect(tab).to_have_url(f"{console}/")
    tab.goto(f"{console}/signin")
    expect(tab.locator(".lead")).to_contain_text("by passphrase and code")
    tab.get_by_role("button", name="Take ten codes").click()
    expect(tab.get_by_role("alert")).to_contain_text("you have no passkey yet")
    tab.get_by_role("button", name="Enrol a passkey").click()
    expect(tab.get_by_role("alert")).to_contain_text("you have no passkey yet")


def by_code(tab, home, code, passphrase=PASSPHRASE):
    tab.get_by_text("Passphrase and code of an app").click()
    tab.locator("#person").fill(home.people[Role.OWNER].id)
    tab.locator("#passphrase").fill(passphrase)
    tab.locator("#code").fill(code)
    tab.get_by_role("button", name="Sign in", exact=True).click()


def test_who_guesses_waits_longer_each_time(tab, home, console):
    for _ in range(5):
        tab.goto(f"{console}/login")
        by_code(tab, home, "000000", "a wrong passphrase")
        expect(tab.get_by_role("alert")).to_contain_text("does not open anything")
    tab.goto(f"{console}/login")
    by_code(tab, home, "000000", "a wrong passphrase")
    expect(tab.get_by_role("alert")).to_contain_text("too many attempts failed; the next one is looked at in 30 s")


def test_a_recovery_code_ends_every_session_and_lets_enrol_a_passkey_and_nothing_else(
    signed_in, services, home, console, authenticator
):
    take_codes(signed_in)
    code = signed_in.locator(".codes code").nth(3).inner_text()
    kept = signed_in.context.cookies()
    signed_in.context.clear_cookies()
    authenticator.clear()
    signed_in.goto(f"{console}/login")
    signed_in.get_by_text("Recovery code", exact=True).first.click()
    signed_in.locator("#recovery-person").fill(home.people[Role.OWNER].id)
    signed_in.locator("#recovery-code").fill(code)
    signed_in.get_by_role("button", name="Use the code").click()
    expect(signed_in).to_have_url(f"{console}/signin")
    expect(signed_in.locator("main")).to_contain_text("A recovery code opened this session")
    assert statements(services, "recovery.used")[0].claims["left"] == 9
    signed_in.goto(f"{console}/evidence")
    expect(signed_in.locator("main")).to_contain_text("enrol a new passkey")
    signed_in.goto(f"{console}/signin")
    enrol(signed_in, "new phone")
    leave(signed_in)
    sign_in(signed_in)
    expect(signed_in).to_have_url(f"{console}/")
    signed_in.context.clear_cookies()
    signed_in.context.add_cookies(kept)
    signed_in.goto(f"{console}/")
    expect(signed_in).to_have_url(f"{console}/login")


def test_a_code_for_a_terminal_lets_a_token_do_what_it_may_not_alone(signed_in, services, home):
    from ringfence.settings import CONFIRMATION_HEADER

    with home.http(services) as terminal:
        body = {"reason": "left"}
        path = f"/api/v1/people/{home.people[Role.ENGINEER].id}/remove"
        refused = terminal.post(path, json=body)
        assert refused.json()["type"] == "urn:ringfence:problem:step-up-required"
        signed_in.get_by_role("button", name="Show a code for a terminal").click()
        shown = signed_in.locator(".code code", has_text="export RINGFENCE_CONFIRMATION").inner_text()
        code = shown.partition("=")[2]
        other = terminal.post(path, json=body, headers={CONFIRMATION_HEADER: code + "x"})
        assert other.status_code == 403
        assert terminal.post(path, json=body, headers={CONFIRMATION_HEADER: code}).status_code == 200


@pytest.mark.parametrize("view", [pytest.param("light", marks=pytest.mark.soak), "dark", "narrow"])
def test_the_pages_have_no_violation_and_never_scroll_sideways(signed_in, pictures, view):
    found = {}
    signed_in.locator("#passphrase").fill(PASSPHRASE)
    signed_in.get_by_role("button", name="Add an authenticator app").click()
    expect(signed_in.get_by_role("img", name="Picture for an authenticator app")).to_be_visible()
    found["signin-app"] = judged(signed_in, pictures, f"signin-app-{view}")
    take_codes(signed_in)
    found["signin"] = judged(signed_in, pictures, f"signin-{view}")
    leave(signed_in)
    for each in signed_in.locator("details summary").all():
        each.click()
    found["login"] = judged(signed_in, pictures, f"login-{view}")
    assert found == dict.fromkeys(found, "")


def judged(tab, pictures, name):
    tab.screenshot(path=pictures / f"{name}.png", full_page=True)
    wrong = "scrolls sideways " if tab.evaluate(SIDEWAYS) else ""
    found = Axe().run(tab)
    return wrong + (found.generate_report() if found.violations_count else "")
