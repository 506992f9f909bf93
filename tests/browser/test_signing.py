"""A real browser with virtual authenticators: two people triage an incident and free a node, signing with passkeys."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import trust as trust_file
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.model import Kind
from ringfence.reports.service import draft_of
from ringfence.reports.verify import verify
from ringfence.server import create_app
from ringfence.testing.choices import ASIDE, override, select
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import served_at
from ringfence.testing.filled import filled
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.program import environment
from ringfence.testing.staged import LENGTH, staged

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
AUDITORS = Path(__file__).parents[2] / "docs" / "auditors"
OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Someone:
    """A person at a browser of their own, with an authenticator of their own."""

    def __init__(self, browser, stage, console, role):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.tab = self.context.new_page()
        self.stage, self.console, self.person = stage, console, stage.home.people[role]
        self.role = role
        session = self.context.new_cdp_session(self.tab)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})

    def enrol(self):
        """Make a passkey in the browser, and let the key in its file enrol it for signing."""
        services, actor = self.stage.services, self.stage.home.actor(self.role)
        self.tab.goto(f"{self.console}/login?token={services.identity.issue_link(actor)}")
        self.tab.goto(f"{self.console}/signin")
        self.tab.get_by_label("Name of a new passkey").fill("laptop")
        self.tab.get_by_role("button", name="Enrol a passkey").click()
        expect(self.tab.get_by_role("row", name=re.compile("laptop"))).to_contain_text("signs in only")
        enrolling = services.acting.enrolling
        (passkey,) = enrolling.passkeys.of(services.signin.sessions.session(self.secret()).owner)
        enrolling.enrol(actor, passkey.id, signed(services, self.person, enrolling.draft(actor, passkey.id))[0])
        services.ledger.integrate()
        return passkey

    def secret(self):
        return next(one["value"] for one in self.context.cookies() if one["name"].endswith("ringfence_session"))

    def come_in(self):
        self.tab.goto(f"{self.console}/login")
        self.tab.get_by_role("button", name="Sign in with a passkey").click()
        expect(self.tab).to_have_url(f"{self.console}/")

    def sign(self, picture):
        expect(self.tab.locator("h1")).to_have_text("What do I sign?")
        self.tab.screenshot(path=picture, full_page=True)
        assert not self.tab.evaluate(SIDEWAYS)
        found = Axe().run(self.tab)
        assert found.violations_count == 0, found.generate_report()
        self.tab.get_by_role("button", name="Sign with the passkey").click()
        expect(self.tab.locator(".lead")).to_contain_text("Signed")


@pytest.fixture
def stage(tmp_path):
    clock = FakeClock(SystemClock().now() - LENGTH)
    with staged(make(tmp_path / "home", clock), clock) as made:
        yield made


@pytest.fixture
def console(stage):
    with served_at(lambda address: create_app(stage.services, console=address)) as address:
        yield address


def report(stage, role):
    """Return the pack of everything, its report signed by somebody's key in a file."""
    services, actor = stage.services, stage.home.actor(role)
    services.ledger.integrate()
    preview = services.packs.preview(TENANT)
    envelope, opening = signed(services, stage.home.people[role], draft_of(preview.to_json()))
    return services.packs.issue(envelope, opening, by=actor)


def test_two_people_sign_with_passkeys_and_every_verifier_agrees(browser, stage, console, pictures, tmp_path):
    anna, bert = (Someone(browser, stage, console, role) for role in (Role.SECURITY, Role.OWNER))
    for person in (anna, bert):
        person.enrol()
    stage.clock.advance(timedelta(hours=25))  # a credential counts for an act of two after a day
    for person in (anna, bert):
        person.come_in()

    incident = stage.incidents["undecided"]
    anna.tab.goto(f"{console}/incidents/{incident}")
    anna.tab.locator("input[name=decision][value=significant]").check()
    anna.tab.get_by_label("Reason").fill("somebody came in")
    anna.tab.get_by_role("button", name="Make the command to sign").click()
    expect(anna.tab.locator("main")).to_contain_text("you are aware from now on, and")
    expect(anna.tab.locator("main")).not_to_contain_text("every customer of this installation")
    anna.tab.screenshot(path=pictures / "triage-names.png", full_page=True)
    anna.tab.get_by_label("not significant").check()
    anna.tab.get_by_role("textbox", name="Reason").fill("guesses only, nobody came in")
    anna.tab.get_by_role("button", name="Make the command to sign").click()
    anna.tab.get_by_role("button", name="Sign it with a passkey").click()
    anna.sign(pictures / "sign-triage.png")
    anna.tab.screenshot(path=pictures / "signed-triage.png", full_page=True)
    assert stage.services.cutoff.incidents.room(TENANT, incident).incident.triage is not None

    anna.tab.goto(f"{console}/nodes/honeypot")
    anna.tab.screenshot(path=pictures / "release-ask.png", full_page=True)
    anna.tab.get_by_role("textbox", name="Reason").fill("looked at it, cleaned")
    anna.tab.get_by_role("button", name="Ask, and sign with a passkey").click()
    anna.sign(pictures / "sign-release.png")
    anna.tab.goto(f"{console}/nodes/honeypot")
    expect(anna.tab.get_by_role("button", name="Agree, and sign")).to_have_count(0)
    bert.tab.goto(f"{console}/nodes/honeypot")
    bert.tab.get_by_role("button", name="Agree, and sign with a passkey").click()
    bert.sign(pictures / "sign-approval.png")
    bert.tab.get_by_role("link", name="See what came of it").click()
    expect(bert.tab.locator(".lead")).not_to_contain_text("quarantined")
    stage.services.ledger.integrate()
    (freed,) = stage.services.ledger.statements(TENANT, ("quarantine.released",))
    claims = freed.envelope.statement.claims
    assert (claims["bootstrap"], claims["requestedWith"], claims["approvedWith"]) == (
        False, "webauthn-es256", "webauthn-es256",
    )  # fmt: skip

    pack, trust = report(stage, Role.OWNER), stage.services.packs.trust
    outcome = verify(pack, trust)
    assert outcome.ok, outcome.failures
    by_passkey = [one for one in outcome.statements if one.issuer and one.issuer.algorithm == "webauthn-es256"]
    assert {one.envelope.statement.predicate for one in by_passkey} == {
        "incident.triage", "quarantine.release_requested", "quarantine.release_approved",
    }  # fmt: skip
    assert {one.issuer.role for one in by_passkey} == {KeyRole.OPERATOR}
    script(pack, trust, tmp_path)

    entry = by_passkey[0].entry
    bert.tab.goto(f"{console}/evidence/{entry}")
    expect(bert.tab.get_by_text("A person's passkey signed this very statement").first).to_be_visible()


def script(pack, trust, folder):
    """Run the auditors' script over the pack, alone."""
    (folder / "a.pack").write_bytes(pack)
    (folder / "trust.json").write_text(trust_file.to_text(trust), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, AUDITORS / "verify_pack.py", folder / "a.pack", folder / "trust.json"],
        capture_output=True, text=True, check=False, env=environment({}),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_form_is_filled_shown_again_and_signed_with_a_passkey(browser, stage, console, pictures, tmp_path):
    anna = Someone(browser, stage, console, Role.MANAGEMENT)
    anna.enrol()
    asked, tab, day = shelf.form("vendor.review"), anna.tab, stage.clock.now().date()
    answers = filled(asked.type, day).claims
    tab.goto(f"{console}/record")
    tab.screenshot(path=pictures / "record-list.png", full_page=True)
    assert Axe().run(tab).violations_count == 0
    tab.get_by_role("link", name="vendor.review").click()
    tab.get_by_role("button", name="Read it as it will be signed").click()
    expect(tab.locator(".wrong")).to_have_count(len(asked.questions) + 1)  # each, and which vendor
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
    tab.screenshot(path=pictures / "record-wrong.png", full_page=True)

    (tmp_path / "review.pdf").write_bytes(b"what was found")
    for question in asked.questions:
        place = tab.locator(f"[name='{question.name}']")
        match question.kind:
            case Kind.FILE:
                tab.set_input_files(f"#{question.name}-file", tmp_path / "review.pdf")
            case Kind.CHOICE | Kind.PARTS:
                place.first.check()
            case _:
                place.fill(str(answers[question.name]))
    tab.locator("#subject").fill("acme")
    tab.get_by_label("What was found, in your words").fill("nothing new")
    expect(tab.get_by_text("attached: review.pdf")).to_be_visible()
    assert not tab.evaluate(SIDEWAYS)
    tab.get_by_role("button", name="Read it as it will be signed").click()
    expect(tab.locator("main")).to_contain_text("vendor/acme")
    anna.sign(pictures / "record-sign.png")
    stage.services.ledger.integrate()
    (logged,) = stage.services.ledger.statements(TENANT, ("vendor.review",))
    assert logged.issuer.algorithm == "webauthn-es256"
    salt = bytes.fromhex(logged.opening.details["files"]["review"]["salt"])
    assert logged.envelope.statement.claims["review"] == str(Digest.of(salt + b"what was found"))


def test_a_passkey_that_signs_is_shown_so(browser, stage, console, pictures):
    anna = Someone(browser, stage, console, Role.SECURITY)
    anna.enrol()
    anna.tab.goto(f"{console}/signin")
    expect(anna.tab.get_by_role("row", name=re.compile("laptop"))).to_contain_text("signs acts")
    anna.tab.screenshot(path=pictures / "signin-signing.png", full_page=True)


def test_a_profile_and_a_control_that_is_set_aside_are_signed_with_a_passkey(browser, tmp_path, pictures):
    home = make(tmp_path / "home", clock := FakeClock(SystemClock().now() - LENGTH))
    override(home.path, ASIDE)
    with staged(home, clock) as stage, served_at(lambda at: create_app(stage.services, console=at)) as console:
        anna = Someone(browser, stage, console, Role.SECURITY)
        anna.enrol()
        anna.come_in()
        tab, services = anna.tab, stage.services
        tab.goto(f"{console}/profiles?with=documents")
        shown = tab.locator("input[name=difference]").get_attribute("value")
        tab.get_by_role("button", name="Sign this difference").click()
        expect(tab.locator("main")).to_contain_text(shown[7:15])
        anna.sign(pictures / "sign-profile.png")
        assert services.profiles.in_force(TENANT).profile.id == "documents"
        tab.goto(f"{console}/profiles/overrides")
        assert tab.get_by_role("button", name="Sign that SEC-10 does not apply").count() == 0  # the profile asks for it
        tab.goto(f"{console}/profiles?with=none")
        select(services, home, "manufacturing")  # meanwhile, by somebody else
        tab.get_by_role("button", name="Sign this difference").click()
        expect(tab.locator("body")).to_contain_text("not what you were shown any more")
        tab.goto(f"{console}/profiles/overrides")
        tab.get_by_role("button", name="Sign that SEC-10 does not apply").click()
        anna.sign(pictures / "sign-aside.png")
        assert services.status.board(TENANT).set_aside == 1
        tab.goto(f"{console}/profiles/overrides")
        expect(tab.locator("main")).to_contain_text("set aside")
    anna.context.close()
