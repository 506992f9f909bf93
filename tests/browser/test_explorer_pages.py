"""Search, heads, sources and keys over a real installation, whose heads an auditor and the operator cosigned."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.kernel.actor import Role
from ringfence.ledger.anchoring.model import AskedWitness
from ringfence.server import create_app
from ringfence.testing.anchors import FakeRemote, witness_keys, witnessing
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import served
from ringfence.testing.home import TENANT, make

pytestmark = pytest.mark.browser

PAGES = {
    "search": "/evidence?actor=root&standing=trusted",
    "nothing": "/evidence?subject=nothing/like/it",
    "heads": "/heads",
    "sources": "/sources",
    "keys": "/keys",
    "proven": "/evidence/3",
}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """The address of the console, and the token of its owner."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("explorer") / "home", clock)
    with home.services(clock) as services:
        services.collectors["log.heartbeat"](TENANT)
        services.ledger.integrate()
        anchoring = replace(services.anchored.service, remote=FakeRemote())
        for seed, party in ((41, "Auditor GmbH"), (42, "operator")):
            keys, url = witness_keys(f"w.example/{seed}", seed), f"https://w{seed}.example"
            witness = witnessing(anchoring.trust.log_keys, clock, name=f"w.example/{seed}", seed=seed)
            anchoring.remote.serve(url, witness)
            with anchoring.transaction():
                vkeys = tuple(str(key.public) for key in keys)
                anchoring.rows.put_witness(AskedWitness(keys[0].public.name, vkeys, url, party))
        anchoring.turn()
        with served(create_app(services)) as address:
            yield address, home.people[Role.OWNER].token


@pytest.fixture
def signed_in(tab, context, site):
    address, token = site
    context.set_extra_http_headers({"authorization": f"Bearer {token}"})
    return tab, address


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violation_and_never_scrolls_sideways(signed_in, pictures, view, name):
    tab, address = signed_in
    tab.goto(address + PAGES[name])
    tab.screenshot(path=pictures / f"explorer-{name}-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_cosignatures_are_checked_again_in_the_browser_with_whose_they_are(signed_in):
    tab, address = signed_in
    tab.goto(address + "/evidence/3")
    step = tab.locator('[data-step="cosigned"]')
    expect(step).to_have_attribute("data-verdict", "verified")
    expect(step).to_contain_text("(Auditor GmbH) cosigned")
    expect(step).to_contain_text("counts as the operator")


def test_a_cosignature_by_another_time_fails_loudly(signed_in):
    tab, address = signed_in

    def forge(route):
        answer = route.fetch()
        document = answer.json()
        document["cosignatures"][0]["line"] = document["cosignatures"][1]["line"].replace("/42", "/41")
        route.fulfill(response=answer, json=document)

    tab.route("**/proof.json", forge)
    tab.goto(address + "/evidence/3")
    expect(tab.locator('[data-step="cosigned"]')).to_have_attribute("data-verdict", "failed")
    expect(tab.locator(".chip[data-auto]")).to_have_attribute("data-verdict", "failed")


def compare(tab, old, new):
    tab.fill("#old", str(old))
    tab.fill("#new", str(new))
    tab.click("form[data-consistency] button")
    return tab.locator("#grown")


def test_two_heads_are_compared_in_the_browser(signed_in):
    tab, address = signed_in
    tab.goto(address + "/heads")
    old, new = (int(tab.input_value(field)) for field in ("#old", "#new"))
    assert old < new
    expect(compare(tab, old, new)).to_contain_text(f"head {new} continues head {old}")
    expect(compare(tab, new, new)).to_have_attribute("data-verdict", "verified")


@pytest.mark.parametrize("part", ["proof", "old", "new"])
def test_a_forged_answer_fails_the_comparison(signed_in, part):
    tab, address = signed_in

    def forge(route):
        answer = route.fetch()
        document = answer.json()
        if part == "proof":
            document["proof"] = document["proof"][1:]
        else:
            lines = document[part].split("\n")
            lines[2] = "A" * 43 + "="
            document[part] = "\n".join(lines)
        route.fulfill(response=answer, json=document)

    tab.goto(address + "/heads")
    old, new = (int(tab.input_value(field)) for field in ("#old", "#new"))
    tab.route("**/consistency.json?*", forge)
    expect(compare(tab, old, new)).to_have_attribute("data-verdict", "failed")


def test_a_kept_head_takes_the_place_of_the_first(signed_in):
    tab, address = signed_in
    tab.goto(address + "/heads")
    old, new = (int(tab.input_value(field)) for field in ("#old", "#new"))
    note = tab.request.get(f"{address}/heads/checkpoint?size={old}").text()
    tab.click("form[data-consistency] summary")
    tab.fill("#kept", note)
    expect(compare(tab, old, new)).to_contain_text(f"continues your head {old}")
    tab.fill("#kept", note.replace(note.split("\n")[2], "A" * 43 + "="))
    expect(compare(tab, old, new)).to_have_attribute("data-verdict", "failed")


def test_a_search_changes_the_address_and_not_the_page(signed_in):
    tab, address = signed_in
    tab.goto(address + "/evidence")
    tab.fill("#actor", "control-plane")
    tab.click("form.search button")
    expect(tab.locator("#rows tr")).to_have_count(1)
    assert "actor=control-plane" in tab.url
    tab.goto(tab.url)
    expect(tab.locator("#rows tr")).to_have_count(1)
