"""The Scope pages over HTTP, without JavaScript: any answers end at a result, and what is signed is that result."""

import html
import re

import pytest

from ringfence.kernel.actor import Role
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT, signed
from ringfence.testing.wizard import answered

HTML = {"accept": "text/html"}
PROFILE = re.compile(r'<textarea name="profile"[^>]*>\n?(.*?)</textarea>', re.DOTALL)


@pytest.fixture
def browser(services, home):
    with home.http(services) as http:
        yield http


@pytest.fixture(scope="module")
def reading(made_home, tmp_path_factory):
    """A browser of an owner in a home in which nothing is signed."""
    home = made_home.copy(tmp_path_factory.mktemp("scope") / "home")
    with home.services(FakeClock()) as services, home.http(services) as http:
        yield http, services


def post(browser, path, **data):
    return browser.post(path, data=data, headers=HTML)


def sign(services, home, profile):
    draft = services.scopes.drafted(TENANT, profile)[1][0]
    services.scopes.take(home.actor(), "scope", *signed(services, home.people[Role.OWNER], draft))
    services.ledger.integrate()


def test_an_empty_tenant_is_shown_the_way_to_a_scope(reading):
    browser, _ = reading
    page = browser.get("/scope", headers=HTML).text
    assert "No scope yet" in page
    assert 'href="/scope/wizard"' in page
    assert browser.get("/api/v1/scope").json()["signed"] is None


@pytest.mark.parametrize("sheet", [{}, dict.fromkeys(answered(), "unknown"), {"staff": "many", "systems": "x"}])
def test_whoever_knows_nothing_ends_at_a_result_too(reading, sheet):
    browser, _ = reading
    page = post(browser, "/scope/wizard", **sheet, go="result")
    assert page.status_code == 200
    assert "Sign this scope" in page.text
    assert "<strong>undetermined</strong>" in page.text


def test_the_wizard_keeps_the_answers_and_asks_what_decides(reading):
    browser, _ = reading
    page = post(browser, "/scope/wizard", **answered(earlier="unknown", s0__assessed="unknown")).text
    assert 'value="9 000 000"' in page
    assert 'name="earlier"' in page
    assert 'name="s0.assessed"' in page
    assert 'name="e0.relation"' not in page
    assert 'name="e0.relation"' in post(browser, "/scope/wizard", **answered(group="yes")).text


def test_another_system_is_another_card(reading):
    browser, _ = reading
    page = post(browser, "/scope/wizard", **answered(), go="system").text
    assert 'name="s1.name"' in page
    assert 'name="s2.name"' not in page


def test_what_is_typed_wrong_is_said_beside_its_field(reading):
    browser, _ = reading
    page = post(browser, "/scope/wizard", **answered(staff="many")).text
    assert "a number such as 60" in page
    assert 'value="many"' in page


def test_while_typing_only_what_follows_is_sent(reading):
    browser, _ = reading
    headers = HTML | {"hx-request": "true", "hx-target": "answer"}
    page = browser.post("/scope/wizard", data=answered(), headers=headers).text
    assert "<html" not in page
    assert 'id="answer"' in page
    assert 'id="further"' in page
    shown = html.unescape(re.search(r'name="shown" value="([^"]*)"', page)[1])
    again = browser.post("/scope/wizard", data=answered(staff="61", shown=shown), headers=headers).text
    assert 'id="further"' not in again  # nothing that somebody may be typing into is replaced


def test_page_file_and_command_say_the_same(reading):
    browser, services = reading
    page = post(browser, "/scope/wizard", **answered(), go="result").text
    profile = html.unescape(PROFILE.search(page)[1])
    saved = post(browser, "/scope/result", profile=profile.replace("\n", "\r\n"), go="file")
    assert saved.text == profile
    assert "organisation.yaml" in saved.headers["content-disposition"]
    document = classify(parse(saved.content), services.scopes.today())
    assert document["nis2"]["category"] == "important"
    assert document["nis2"]["provision"] in page
    assert document == services.scopes.drafted(TENANT, profile)[0]


def test_a_file_of_ones_own_is_classified_or_refused_with_its_place(reading):
    browser, _ = reading
    assert "Implementing" not in post(browser, "/scope/result", profile=rules.sample()).text
    assert "applicant ranking" in post(browser, "/scope/result", profile=rules.sample()).text
    refused = post(browser, "/scope/result", profile="name: x\nnonsense: y")
    assert refused.status_code == 422
    assert "the profile:2:1" in refused.text


def test_what_is_signed_was_read_before(reading):
    browser, _ = reading
    answer = post(browser, "/scope/sign", profile=rules.sample())
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"], headers=HTML).text
    assert "entity.classification" in page
    assert "important" in page


def test_the_scope_in_force_with_what_changed(browser, services, home):
    sign(services, home, rules.sample())
    sign(services, home, rules.sample().replace("staff: 60", "staff: 600"))
    page = browser.get("/scope", headers=HTML).text
    for words in ("essential", "BSI", "By this signature", "/obligations?standing=binding", "10,000,000"):
        assert words in page, words
    found = browser.get("/api/v1/scope").json()
    assert {"NIS2", "size class"} <= {one["subject"] for one in found["changed_by_signature"]}
    assert found["changed_since"] == []
    assert [one["entry"] for one in found["systems"]] == [None, None]


def test_each_system_has_its_signature(browser, services, home):
    sign(services, home, rules.sample())
    one = services.scopes.systems(TENANT)[0]
    assert f"/scope/systems/{one.id}/sign" in browser.get("/scope", headers=HTML).text
    answer = post(browser, f"/scope/systems/{one.id}/sign")
    assert answer.headers["location"].startswith("/sign/act-")


def test_an_auditor_reads_and_does_not_sign(services, home):
    sign(services, home, rules.sample())
    with home.http(services, Role.AUDITOR) as http:
        assert http.get("/scope", headers=HTML).status_code == 200
        page = post(http, "/scope/result", profile=rules.sample()).text
        assert "Sign this scope" not in page
        assert post(http, "/scope/sign", profile=rules.sample()).status_code == 403


def test_names_with_markup_are_text(reading):
    browser, _ = reading
    page = post(browser, "/scope/wizard", **answered(name="<script>x</script>", s0__name="<b>"), go="result").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
