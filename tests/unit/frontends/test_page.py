import hashlib
import re
from datetime import timedelta
from importlib import resources

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from ringfence.frontends import page
from ringfence.frontends.page import ClockSummary, Pages, View
from ringfence.frontends.waiting import Item, Kind
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import LabConsole, app, fetch, sample
from ringfence.testing.counting import plain
from ringfence.testing.ledger import PERSON, LabLog

ASSETS = resources.files("ringfence.frontends") / "assets"
TEMPLATES = resources.files("ringfence.frontends") / "pages"
OURS = ("console.css", "console.js", "proof.js", "sprite.svg", "icon.svg")
FOREIGN = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)


def request(path="/", cookie=""):
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request({"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""})


def text_of(answer):
    return answer.body.decode()


@pytest.fixture
def pages():
    return Pages(FakeClock())


@pytest.fixture
def lab():
    return sample()


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/evidence", "/evidence/3", "/nowhere", "/assets/console.css"])
    def test_every_answer_carries_the_policy(self, path):
        headers = fetch(app(sample()), path).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"

    def test_pages_are_never_kept_and_assets_are(self):
        made = app(sample())
        assert fetch(made, "/").headers["cache-control"] == "no-store"
        assert "immutable" in fetch(made, page.asset("console.css")).headers["cache-control"]

    def test_our_own_forms_keep_their_origin(self):
        assert page.SECURITY_HEADERS["referrer-policy"] == "same-origin"


class TestAssets:
    def test_nothing_names_another_host(self):
        found = {
            item.name: FOREIGN.findall(item.read_text())
            for folder in (ASSETS, TEMPLATES)
            for item in folder.iterdir()
            if item.is_file()
        }
        assert {name: hits for name, hits in found.items() if hits} == {}

    def test_pages_hold_no_inline_script_style_or_handler(self):
        inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
        found = {item.name: inline.findall(item.read_text()) for item in TEMPLATES.iterdir()}
        assert {name: hits for name, hits in found.items() if hits} == {}

    def test_stylesheet_stays_small(self):
        assert len((ASSETS / "console.css").read_bytes()) < 25_000

    @pytest.mark.parametrize("name", ["htmx.min.js", "sse.min.js"])
    def test_vendored_files_are_those_that_the_readme_names(self, name):
        digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()
        line = next(line for line in (ASSETS / "README.md").read_text().splitlines() if f"`{name}`" in line)
        assert digest in line
        assert "0BSD" in line

    def test_every_icon_that_is_used_exists(self):
        known = set(re.findall(r'<symbol id="([a-z-]+)"', (ASSETS / "sprite.svg").read_text()))
        used = {name for item in TEMPLATES.iterdir() for name in re.findall(r'icon\("([a-z-]+)"\)', item.read_text())}
        assert used | {place.icon for place in page.PLACES} <= known

    def test_address_changes_with_the_content(self):
        digest = hashlib.sha256((ASSETS / "console.css").read_bytes()).hexdigest()[:12]
        assert page.asset("console.css") == f"/assets/console.css?v={digest}"


class TestLayout:
    def test_rail_lists_the_pages_and_marks_the_one_that_is_open(self):
        text = fetch(app(sample()), "/evidence/3").text
        found = re.findall(r'<a class="place" href="([^"]+)"( aria-current="page")?', text)
        assert [path for path, _ in found] == [place.path for place in page.PLACES]
        assert [path for path, mark in found if mark] == ["/evidence"]
        assert re.findall(r"<h2>(Run|Protect|Prove|Govern)</h2>", text) == ["Run", "Protect", "Prove", "Govern"]

    def test_pages_of_a_place_stand_side_by_side_and_the_one_above_a_record_is_marked(self):
        tabs = re.search(
            r'<nav class="tabs" aria-label="Evidence">(.*?)</nav>', fetch(app(sample()), "/evidence/3").text
        )
        marked = re.findall(r'<a href="([^"]+)"(?: aria-current="([^"]+)")?', tabs[1])
        assert marked[0] == ("/evidence", "true")
        assert [mark for _, mark in marked[1:]] == [""] * (len(marked) - 1)

    def test_a_place_with_one_page_has_no_tabs(self):
        assert 'class="tabs"' not in fetch(app(sample()), "/").text

    def test_bar_counts_the_clocks_and_names_the_nearest_deadline(self, lab):
        assert 'class="clocks' not in fetch(app(lab), "/evidence").text
        due = lab.now() + timedelta(hours=23, minutes=5)
        lab.items += [Item(Kind.CLOCK, "early warning", "/incidents/i-00000001", due)]
        lab.items += [Item(Kind.CLOCK, "notification", "/incidents/i-00000001", due + timedelta(hours=48))]
        bar = re.search(r'<a class="clocks".*?</a>', plain(fetch(app(lab), "/evidence").text), re.DOTALL)[0]
        assert 'href="/incidents"' in bar
        assert "2 clocks" in bar
        assert f'data-countdown="{due.isoformat()}"' in bar
        assert "23 h left" in bar

    def test_a_missed_deadline_is_late_in_words_and_not_by_colour_alone(self, lab):
        lab.items += [Item(Kind.CLOCK, "early warning", "/incidents", lab.now() - timedelta(hours=3))]
        bar = re.search(r'<a class="clocks late".*?</a>', plain(fetch(app(lab), "/").text), re.DOTALL)[0]
        assert "1 clock " in bar
        assert "3 h late" in bar

    def test_clocks_without_a_deadline_are_counted(self):
        pages = Pages(FakeClock(), clocks=lambda _tenant: ClockSummary(1, None))
        caller = Person(PERSON, LabLog().tenant, Role.OWNER)
        answer = pages.respond(request(), "problem.html", View("?", "", caller), error=NotFound("x"))
        bar = re.search(r'<a class="clocks".*?</a>', text_of(answer), re.DOTALL)[0]
        assert "data-countdown" not in bar

    def test_nobody_is_asked_about_a_stranger(self):
        def asked(_tenant):
            raise AssertionError("a page without a person has no tenant")

        assert 'class="clocks' not in text_of(Pages(FakeClock(), clocks=asked).login(request("/login")))

    def test_strangers_get_no_rail(self, pages):
        text = text_of(pages.login(request("/login")))
        assert "ringfence up" in text
        assert 'class="rail"' not in text
        assert "Sign out" not in text

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_theme_of_the_cookie_is_kept(self, pages, theme):
        assert f'data-theme="{theme}"' in text_of(pages.login(request(cookie=f"ringfence_theme={theme}")))

    def test_any_other_theme_is_the_systems(self, pages):
        assert "data-theme=" not in text_of(pages.login(request(cookie='ringfence_theme="><script>')))

    def test_past_is_tinted_and_leads_back(self):
        text = fetch(app(sample()), "/?as_of=2026-11-20T00:00").text
        assert '<body class="past">' in text
        assert "Back to now" in text

    def test_demo_is_said(self):
        assert "can never enter a real tenant" in fetch(app(sample(demo=True)), "/").text
        assert "can never enter a real tenant" not in fetch(app(sample()), "/").text

    def test_a_missing_fact_is_an_error_not_a_blank(self, pages):
        caller = Person(PERSON, LabLog().tenant, Role.OWNER)
        with pytest.raises(UndefinedError):
            pages.respond(request(), "evidence.html", View("?", "", caller))


class TestProblems:
    def test_failed_login_says_why(self, pages):
        answer = pages.login(request(), message="the link was used <already>")
        assert answer.status_code == 401
        assert "the link was used &lt;already&gt;" in text_of(answer)

    def test_errors_are_pages_for_people_and_documents_for_programs(self, pages):
        made = app(sample())
        shown = fetch(made, "/evidence/999", accept="text/html")
        assert shown.status_code == 404
        assert "entry 999 is not in the log" in shown.text
        assert fetch(made, "/evidence/999").json()["type"] == "urn:ringfence:problem:not-found"
        assert "&lt;b&gt;" in text_of(pages.problem(request(), NotFound("<b>")))

    @pytest.mark.parametrize("path", ["/", "/evidence"])
    def test_who_may_not_see_a_page_does_not(self, path):
        made = app(sample(), refused=frozenset({"status.read", "evidence.read"}))
        answer = fetch(made, path, accept="text/html")
        assert answer.status_code == 403
        assert "your role may not" in answer.text


class TestInstant:
    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-11-22T01:02", "2026-11-22T01:02:00.000Z"),
            ("2026-11-22T01:02:03.004Z", "2026-11-22T01:02:03.004Z"),
            ("2026-11-22T01:02:03+02:00", "2026-11-21T23:02:03.000Z"),
        ],
    )
    def test_a_time_is_parsed_as_kernel_clock_says(self, text, instant):
        assert to_text(page.instant(text)) == instant

    @pytest.mark.parametrize("text", [None, ""])
    def test_nothing_is_now(self, text):
        assert page.instant(text) is None

    @pytest.mark.parametrize(
        "text", ["x", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "9999-12-31", "1969-12-31"]
    )
    def test_anything_else_is_refused(self, text):
        with pytest.raises(MalformedInput, match="as_of"):
            page.instant(text)


def test_pages_show_an_empty_log_without_a_fault():
    lab = LabConsole()
    lab.log.entries.clear()
    for path in ("/", "/evidence"):
        assert fetch(app(lab), path).status_code == 200
