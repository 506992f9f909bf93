"""The first ten minutes of somebody who has never seen this: nothing to type that is not known, no dead end.

The whole way runs under `make soak`, on a real installation with a node and a model; the short one always.
"""

import json
import re
import shlex
import tempfile
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.frontends.client import SOCKET, listening
from ringfence.identity.signin.model import Owner
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing import lab, program
from ringfence.testing.console import served_at
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.staged import empty
from ringfence.tour.lab import until
from ringfence.workloads.console import samples

pytestmark = pytest.mark.browser

MOST_TYPED, MOST_CLICKS = 14, 30
MOST_CLICKS_TO_PRACTISE = 16  # counted apart: whoever practises has a console of its own for it
WITHIN = 600  # seconds for all of it
PATIENCE = 60_000  # milliseconds for a step, on a machine with other things to do
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Newcomer:
    """Somebody with a browser and an authenticator, whose clicks and typing are counted."""

    def __init__(self, browser, pictures):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
        self.tab, self.pictures = self.context.new_page(), pictures
        self.clicks = self.typed = 0
        session = self.context.new_cdp_session(self.tab)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})

    def click(self, role, name, **more):
        self.clicks += 1
        self.tab.get_by_role(role, name=name, **more).first.click()

    def type(self, label, text):
        self.typed += 1
        self.tab.get_by_role("textbox", name=label).fill(text)

    def next_step(self, words):
        """Go on as Today says."""
        self.click("link", "Today", exact=True)
        self.look("today")
        self.click("link", f"Next step: {words}")

    def sign(self):
        expect(self.tab.locator("h1")).to_have_text("What do I sign?", timeout=PATIENCE)
        self.look("sign")
        self.click("button", "Sign with the passkey")
        expect(self.tab.locator(".lead")).to_contain_text("Signed", timeout=PATIENCE)

    def look(self, name):
        """Take a picture, and see that nothing is cut off or out of somebody's reach."""
        self.tab.screenshot(path=self.pictures / f"first-{name}.png", full_page=True)
        assert not self.tab.evaluate(SIDEWAYS), name
        found = Axe().run(self.tab)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


# The short way: real pages, real signatures, a real pack; no node, no model, no second process.


@pytest.fixture
def home(tmp_path):
    return make(tmp_path / "home")


@pytest.fixture
def services(home):
    """Services over nodes in memory: a real provider would start the network helper, which outlives the test."""
    with empty(home, SystemClock()) as stage:
        yield stage.services


@pytest.fixture
def console(services):
    with served_at(lambda address: create_app(services, console=address)) as address:
        yield address


@pytest.fixture
def newcomer(browser, pictures):
    made = Newcomer(browser, pictures)
    yield made
    made.context.close()


def let_sign(services, home):
    """Do what the command on the page does: the key in the owner's file enrols the passkey for signing."""
    actor, enrolling = home.actor(), services.acting.enrolling
    (passkey,) = enrolling.passkeys.of(Owner(TENANT, actor.id))
    enrolling.enrol(actor, passkey.id, signed(services, home.people[Role.OWNER], enrolling.draft(actor, passkey.id))[0])
    services.ledger.integrate()


def test_from_a_link_to_a_pack_that_a_flipped_byte_breaks(newcomer, console, services, home, tmp_path):
    tab = newcomer.tab
    tab.goto(f"{console}/login?token={services.identity.issue_link(home.actor())}")
    newcomer.look("welcome")
    newcomer.click("link", "Next step: Let your passkey sign")
    newcomer.click("button", "Enrol a passkey")
    expect(tab.get_by_text("Let one sign with your own key")).to_be_visible()
    tab.goto(f"{console}/data")
    expect(tab.get_by_text("no passkey of yours signs yet")).to_be_visible()
    let_sign(services, home)

    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "scores.csv").write_text("a,b\n1,2\n" * 1000, encoding="utf-8")
    tab.goto(f"{console}/data")
    newcomer.look("data-empty")
    newcomer.type("Name", "scores")
    tab.set_input_files("#folder", tmp_path / "set")
    newcomer.click("button", "Seal it, and sign")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    expect(tab.locator("tr[data-row]")).to_contain_text("scores")
    newcomer.click("button", "Verify scores, and sign")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    expect(tab.locator("tr[data-row]")).to_contain_text("every byte held")
    newcomer.look("data")
    (known,) = services.artifacts.all(TENANT)
    row = tab.locator("tr[data-row]").inner_text()
    assert f"{known.objects} file" in row
    assert f"{known.total_bytes:,} bytes" in row

    newcomer.click("link", "Today", exact=True)
    newcomer.click("link", re.compile("^Run it…"))
    newcomer.look("collect")
    newcomer.click("button", "Run it", exact=True)
    expect(tab.get_by_role("heading", name="What came of it")).to_be_visible(timeout=PATIENCE)
    newcomer.look("collected")
    evidence = tab.url.partition("/records/")[2].partition("#")[0]
    (logged,) = services.ledger.statements(TENANT, (evidence,))
    expect(tab.get_by_role("link", name=f"entry {logged.entry}", exact=True)).to_be_visible()

    tab.goto(f"{console}/packs")
    newcomer.look("packs-empty")
    newcomer.click("button", "Make a pack, and sign with a passkey")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    newcomer.look("packs")
    newcomer.click("link", "Check it, and flip one byte in a copy")
    expect(tab.locator("#verdict")).to_contain_text(re.compile(r"verified[\s\S]*Record \d+, entry \d+"))
    newcomer.look("flipped")
    newcomer.click("link", "Check the pack itself")
    expect(tab.locator("#verdict")).not_to_contain_text("Record ")
    newcomer.look("pack")


PAGES = ("/", "/nodes/offers", "/data", "/records/log.coverage", "/deployments/sample", "/packs", "/practice")


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_pages_of_the_first_steps_in_every_view(tab, console, services, home, pictures, view):
    services.ledger.integrate()
    tab.goto(f"{console.replace('localhost', '127.0.0.1')}/login?token={services.identity.issue_link(home.actor())}")
    for path in PAGES:
        tab.goto(console.replace("localhost", "127.0.0.1") + path)
        name = path.strip("/").replace("/", "-") or "today"
        tab.screenshot(path=pictures / f"first-{name}-{view}.png", full_page=True)
        assert not tab.evaluate(SIDEWAYS), path
        found = Axe().run(tab)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


# The whole way, as product.md has it: an empty home, one terminal, a node, a model, a customer.


@pytest.fixture
def installation():
    """A home that `init` made, and `up` over it: what is typed into the one terminal, and the link that it prints."""
    with tempfile.TemporaryDirectory(prefix="rf-") as place:  # short: sockets have short names
        yield from installed({"RINGFENCE_HOME": f"{place}/home"})


def installed(given):
    assert program.run(given, "init").returncode == 0
    up = program.started(given)
    try:
        link = re.search(r"http://\S+", up.stderr.readline())[0]
        while "Ctrl-C" not in up.stderr.readline():
            assert up.poll() is None
        until(lambda: listening(Path(given["RINGFENCE_HOME"]) / SOCKET), "`ringfence up`")
        yield given, link
    finally:
        for node in json.loads(program.run(given, "node", "list", "--json").stdout or "{}").get("nodes", []):
            program.run(given, "node", "stop", node["name"])
        up.terminate()
        up.communicate(timeout=60)


def told(given, *arguments):
    done = program.run(given, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.soak
@pytest.mark.timeout(WITHIN)
def test_the_whole_way_from_an_empty_home(newcomer, installation):
    given, link = installation
    (offer,) = (one for one in told(given, "node", "offers")["offers"] if one["class"] == "namespace")
    if not offer["available"]:
        pytest.skip(f"no node can run here: {offer['because']}")
    if because := samples.model().missing or samples.dataset().missing:
        pytest.skip(because)
    tab, began, console = newcomer.tab, time.monotonic(), link.partition("/login")[0]
    tab.goto(link)

    newcomer.click("link", "Next step: Let your passkey sign")
    newcomer.click("button", "Enrol a passkey")
    newcomer.click("button", "Show the command that lets it sign")
    confirmation, *command = shlex.split(tab.locator("code", has_text="ringfence user passkey").inner_text())
    name, _, value = confirmation.partition("=")
    done = program.run(given | {name: value}, *command[1:])
    assert "signs acts now" in done.stdout, done.stderr

    newcomer.next_step("Sign which duties are yours")  # every answer: don't know
    newcomer.click("button", "See the result")
    newcomer.look("scope")
    newcomer.click("button", "Sign this scope")
    newcomer.sign()

    newcomer.next_step("Start a node")
    newcomer.click("button", "Start node")
    expect(tab.get_by_text("ms after it was asked for")).to_be_visible(timeout=PATIENCE)
    newcomer.look("node")

    newcomer.next_step("Seal data")
    newcomer.click("button", "Seal the sample, and sign")
    newcomer.sign()

    newcomer.next_step("Serve a model")
    newcomer.click("button", "Serve the sample model")
    ask = tab.get_by_role("button", name="Ask", exact=True)
    expect(ask.or_(tab.locator("#page .note.break[role=alert]"))).to_be_visible(timeout=240_000)
    newcomer.look("came-up")
    newcomer.look("deployment")
    newcomer.click("button", "Ask", exact=True)
    expect(tab.locator("#receipt")).to_contain_text("What this does not prove", timeout=PATIENCE)
    newcomer.look("receipt")
    (serving,) = told(given, "deploy", "list")["deployments"]
    assert serving["digest"].removeprefix("sha256:")[:8] in tab.locator("#receipt").inner_text()

    newcomer.click("link", "Today", exact=True)
    newcomer.click("link", re.compile("^Run it…"))
    newcomer.click("button", "Run it", exact=True)
    expect(tab.get_by_role("heading", name="What came of it")).to_be_visible(timeout=PATIENCE)

    newcomer.click("link", "Customers", exact=True)
    if not tab.get_by_role("button", name="Enter this customer").is_visible():  # open where there is none yet
        tab.get_by_text("Enter a customer", exact=True).click()
        newcomer.clicks += 1
    newcomer.type("Name", "Sample hospital")
    newcomer.click("button", "Enter this customer")
    newcomer.click("button", "Make pack")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    newcomer.click("link", "check it")
    newcomer.click("link", "Check it, and flip one byte in a copy")
    expect(tab.locator("#verdict")).to_contain_text(re.compile(r"verified[\s\S]*Record \d+, entry \d+"))
    newcomer.look("flipped-customer")

    tab.goto(console)
    shown = {name: int(value) for name, value in STAT.findall(tab.locator("dl.stats").inner_text())}
    counts = told(given, "status")["counts"]
    assert shown == {name.replace("-", " "): counts[name] for name in counts if name != "denominator"}
    steps = tab.locator("#ahead ~ ol > li")
    assert steps.count() == 3
    print(f"{newcomer.clicks} clicks, {newcomer.typed} typed, {time.monotonic() - began:.0f} s")  # noqa: T201
    assert newcomer.typed <= MOST_TYPED
    assert newcomer.clicks <= MOST_CLICKS


@pytest.mark.soak
@pytest.mark.timeout(WITHIN)
def test_an_incident_is_practised_beside_the_own_organisation(newcomer, installation):
    given, link = installation
    if because := lab.missing():
        pytest.skip(because)
    tab, began, console = newcomer.tab, time.monotonic(), link.partition("/login")[0]
    tab.goto(link)
    newcomer.look("side-by-side")
    newcomer.click("button", "Start the practice")
    newcomer.look("practice-ready")
    newcomer.click("link", "Go into the practice")
    tab.wait_for_url("http://practice.localhost:*/practise")
    newcomer.click("button", "Enrol a passkey")
    newcomer.click("button", "Let practice sign here")
    expect(tab.get_by_role("heading", name="First: a passkey")).to_have_count(0)

    newcomer.click("button", "Play attack 1")
    newcomer.click("link", "Decide: not significant")
    newcomer.look("practice-not-significant")
    newcomer.click("button", "Sign it with a passkey")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    expect(tab.get_by_text("No clock runs: a person has signed")).to_be_visible()

    newcomer.click("link", "Practise", exact=True)
    newcomer.click("button", "Play attack 2")
    newcomer.click("link", "Decide: significant")
    ticked = tab.locator("input[name=criterion]:checked").evaluate_all("found => found.map(one => one.value)")
    assert {"3(1)(b)", "3(1)(e)"} <= set(ticked)
    newcomer.look("practice-significant")
    newcomer.click("button", "Sign it with a passkey")
    newcomer.sign()
    newcomer.click("link", "See what came of it")
    expect(tab.locator("#running")).to_contain_text("early warning")
    expect(tab.locator("[data-unknown]").first).to_contain_text("not known at this time")
    with tab.expect_download() as got:
        newcomer.click("button", "Make the PDF")
    assert got.value.path().read_bytes().startswith(b"%PDF-")
    tab.goto(tab.url.partition("/incidents")[0] + "/practise")
    newcomer.look("practised")
    print(f"{newcomer.clicks} clicks, {newcomer.typed} typed, {time.monotonic() - began:.0f} s")  # noqa: T201
    assert newcomer.typed == 0
    assert newcomer.clicks <= MOST_CLICKS_TO_PRACTISE

    tab.goto(f"{console}/incidents")  # the session here goes on, and nothing has come of it here
    expect(tab.get_by_text("No incident is on record.")).to_be_visible()
    assert told(given, "incident", "list")["incidents"] == []
    assert "clock" not in tab.locator("header").inner_text()


STAT = re.compile(r"(satisfied|pending|not satisfied|upcoming|not applicable)\s+(\d+)")
