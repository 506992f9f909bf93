"""The Deployments page over deployments of every kind, and empty: pictures, violations, live parts."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import Basis, DeploymentState, Protocol, ServedModel, Upstream
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.gateway import deployment
from ringfence.testing.home import TENANT, make

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
LIMIT = 100_000
WEIGHTS = Digest.of(b"weights")


@contextmanager
def opened(path, clock):
    home = make(path, clock)
    with home.services(clock) as services:
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        services.serving.grounds.prepare()
        with served(app) as address:
            yield home, services, address


def deploy(home, services):
    """One deployment of every kind, and keys in every state."""
    gateway, engineer = services.serving.gateway, home.actor(Role.ENGINEER)
    loaded = ServedModel("gemma3-270m-q4-k-m", WEIGHTS, Basis.LOADED)
    gateway.starting(TENANT, "answers", protocol=Protocol.OPENAI, node="n-0a1b2c3d", by=engineer.id)
    gateway.serving(TENANT, "answers", upstream=Upstream("http://n-0a1b2c3d/v1", "tunnels/a.sock"), model=loaded)
    gateway.starting(TENANT, "iris", protocol=Protocol.INFERENCE_V2, node="n-0a1b2c3e")
    gateway.starting(TENANT, "lost", protocol=Protocol.OPENAI, node="n-0a1b2c3f")
    gateway.failed(TENANT, "lost", because="the engine ended: not enough memory for a context of 32,768 tokens")
    keys = [gateway.issue_key(engineer, Wanted(name, scope)).key.id for name, scope in CALLERS]
    gateway.block_key(TENANT, keys[1], because="api-key-guessing-then-success: 40 attempts", finding="f-1")
    gateway.revoke_key(home.actor(Role.SECURITY), keys[2])
    with services.database.transaction():
        rows = gateway.publishing.deployments
        declared = ServedModel("meta-llama/Llama-3.3-70B-Instruct", WEIGHTS, Basis.DECLARED)
        long = Upstream("https://inference.a-customer-with-a-long-name.example/openai/v1")
        rows.put(deployment("customer-70b", tenant=TENANT, model=declared, upstream=long, subject=WEIGHTS))
        unknown = ServedModel("tiny", None, Basis.DECLARED)
        rows.put(deployment("laptop", tenant=TENANT, model=unknown))
        rows.put(deployment("old", tenant=TENANT, model=unknown, state=DeploymentState.STOPPED))
    use(home, services, keys[0], 1234)
    services.ledger.integrate()


CALLERS = (("hospital portal", ()), ("night batch", ("answers",)), ("former partner", ("customer-70b", "answers")))


def use(home, services, key, requests):
    record = {"ts": to_text(services.clock.now()), "tenant": TENANT, "deployment": "answers", "key": key, "status": 200}
    line = json.dumps(record | {"prompt_tokens": 31, "completion_tokens": 12}) + "\n"
    with (home.path / "gateway" / "access.log").open("a") as file:
        file.write(line * requests)


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    clock = FakeClock(SystemClock().now() - timedelta(hours=5))
    with opened(tmp_path_factory.mktemp("deployed") / "home", clock) as (home, services, address):
        deploy(home, services)
        clock.advance(timedelta(hours=3))
        yield home, services, f"{address}/deployments"


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_page_has_no_violation_and_never_scrolls_sideways(tab, console, pictures, view):
    answer = tab.goto(console[2])
    assert (answer.status, len(answer.body()) < LIMIT) == (200, True)
    tab.screenshot(path=pictures / f"deployments-{view}.png", full_page=True)
    expect(tab.locator("h1")).to_contain_text("?")
    expect(tab.locator(".foot code")).to_contain_text("ringfence deploy list")
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_the_same_digest_never_looks_the_same_on_another_basis(tab, console):
    tab.goto(console[2])
    marks = tab.locator("tr[data-row] td[data-word=Model] .mark")
    assert {mark.inner_text() for mark in marks.all()} == {"bound when loaded", "declared", "unknown"}
    loaded = tab.locator("td[data-word=Model] .mark.satisfied")
    assert loaded.count() == 1
    expect(tab.locator("#deployed + .table tr", has_text="customer-70b")).to_contain_text("nobody saw what was loaded")


def test_what_is_used_and_blocked_appears_by_itself(tab, console):
    home, services, address = console
    tab.goto(address)
    row = tab.locator("tr", has=tab.locator("#deployment-answers"))
    expect(row.locator("td[data-word=Answers] > span").first).to_have_text("1,234")
    issued = services.serving.gateway.issue_key(home.actor(Role.ENGINEER), Wanted("newcomer", ()))
    use(home, services, issued.key.id, 6)
    services.serving.gateway.block_key(TENANT, issued.key.id, because="tried", finding="f-2")
    services.ledger.integrate()
    expect(tab.locator(f"tr:has(#{issued.key.id})")).to_contain_text(f"ringfence key unblock {issued.key.id}")
    expect(row.locator("td[data-word=Answers] > span").first).to_have_text("1,240")
    assert issued.secret not in tab.content()


@pytest.mark.parametrize("view", ["light"])
def test_an_empty_page_teaches_how_to_fill_it(tab, tmp_path, pictures, view):
    with opened(tmp_path / "home", FakeClock(SystemClock().now())) as (_, _, address):
        tab.goto(f"{address}/deployments")
        tab.screenshot(path=pictures / f"deployments-empty-{view}.png", full_page=True)
        said = tab.locator(".empty code").all_inner_texts()
        assert said == ["ringfence deploy attach http://127.0.0.1:8000/v1 --as small", "ringfence key issue NAME"]
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
