"""The Models page: pictures, violations, nothing sideways, words beside every colour."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.artifacts.models import oms, statements
from ringfence.artifacts.models.model import ModelId, ModelName
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.models import HOSTILE, gguf, key, pair, report, text

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
TEMPLATE = gguf([pair("tokenizer.chat_template", 8, text("{{ x }}"))])
SEEN = {"clean": b"words", "hostile": HOSTILE["eval"], "odd": b"\x00\x01\x02", "templated": TEMPLATE, "unscanned": None}


def stated(services, home):
    """State a model for every thing that a scan can say."""
    for number, (name, data) in enumerate(SEEN.items()):
        manifest = oms.manifest_of("m", {"file.bin": Digest.of(name.encode())})
        about = statements.About(ModelId(f"{number:032x}"), ModelName(name), manifest.digest)
        signature = statements.Signature(manifest, 2**31, Digest.of(b"b"), key().public, "file-passphrase")
        drafts = [statements.signed(about, signature)]
        drafts += [statements.scanned(about, report({"file.bin": data}), 1)] if data else []
        for draft in drafts:
            envelope, opening = signed(services, home.people[Role.ENGINEER], draft)
            services.models.state(home.actor(Role.ENGINEER), draft.predicate, envelope, opening)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = make(tmp_path_factory.mktemp("models") / "home", FakeClock())
    with home.services(FakeClock()) as services:
        stated(services, home)
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_models_are_shown_with_what_their_scans_said(tab, address, pictures, view):
    tab.goto(f"{address}/models")
    tab.screenshot(path=pictures / f"models-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    assert tab.locator("tbody td.about a[id]").all_inner_texts() == [
        "hostile",
        "odd",
        "unscanned",
        "clean",
        "templated",
    ]
    marks = [mark.strip() for mark in tab.locator("tbody .mark").all_inner_texts()]
    assert marks == ["refused", "unknown", "not scanned", "clean", "clean"]
    assert "1 to read first" in tab.locator("tbody").inner_text()
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()
