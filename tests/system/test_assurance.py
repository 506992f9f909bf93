"""The pages and routes about where a tenant stands, over a real installation; and that the past stays what it was."""

import html
import json
from datetime import timedelta
from pathlib import Path

import pytest

from ringfence.kernel.actor import Role
from ringfence.obligations import catalog
from ringfence.obligations.frameworks import crosswalk
from ringfence.testing.assurance import handed_out, waiting_for
from ringfence.testing.clock import FakeClock
from ringfence.testing.program import called

API = "/api/v1"
RULES = catalog.load()
FIRST = [control for control in RULES.controls if control.id.endswith("-01")]  # one of each domain


@pytest.fixture
def http(services, home):
    with home.http(services) as client:
        yield client


# What was exported at a time is what is shown as of that time, byte for byte, whatever came since.
EXPORTS = (
    f"{API}/status?as_of={{at}}",
    f"{API}/controls/LOG-06?as_of={{at}}",
    f"{API}/obligations?act=NIS2&as_of={{at}}",
    f"{API}/frameworks/bsi_c5_2020?as_of={{at}}",
    f"{API}/threats?as_of={{at}}",
    f"{API}/reports/oscal?as_of={{at}}",
    f"{API}/reports/applicability?as_of={{at}}",
    f"{API}/reports/rules?as_of={{at}}",
)


def exports(http, at):
    answers = [http.get(path.format(at=at.isoformat().replace("+00:00", "Z"))) for path in EXPORTS]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


def test_the_past_stays_what_was_exported(services, home, http, clock):
    for name in ("log.heartbeat", "access.register", "key.lifecycle", "retention.register"):
        services.collectors[name](home.actor().tenant)
    clock.advance(timedelta(minutes=5))
    at = clock.now()
    exported = exports(http, at)
    clock.advance(timedelta(minutes=5))
    for name in ("log.heartbeat", "access.register", "log.chain_verified"):
        services.collectors[name](home.actor().tenant)
    handed_out(services, home)
    clock.advance(timedelta(days=400))  # everything runs out, and dates of acts pass
    services.collectors["key.lifecycle"](home.actor().tenant)
    assert exports(http, at) == exported
    now = http.get(f"{API}/status").json()
    assert now["counts"] != json.loads(exported[0])["counts"]


def test_a_key_that_was_revoked_since_changes_nothing_of_the_past(services, home, http, clock):
    services.collectors["log.heartbeat"](home.actor().tenant)
    clock.advance(timedelta(minutes=5))
    at = clock.now()
    exported = exports(http, at)
    clock.advance(timedelta(minutes=5))
    services.identity.remove(home.people[Role.ENGINEER].id, by=home.actor(), left_at=None, reason="left")
    services.ledger.integrate()
    assert exports(http, at) == exported


def check_page(http, control):
    page = http.get(f"/controls/{control.id[:3]}/{control.id}")
    assert page.status_code == 200
    assert len(page.content) < 100_000
    told = html.unescape(page.text)
    assert all(sentence in told for sentence in control.does_not_prove)


class TestRoutes:
    def test_one_control_is_what_status_says_of_it(self, http):
        for control in ("DAT-01", "GOV-05", "SEC-05"):
            at = "2026-11-22T08:59:00Z"
            shown = http.get(f"{API}/controls/{control}", params={"as_of": at}).json()
            status = http.get(f"{API}/status", params={"as_of": at, "control": control}).json()
            assert {name: shown[name] for name in status if name != "not_working"} == {
                name: value for name, value in status.items() if name != "not_working"
            }
            assert shown["rule_in_words"]

    @pytest.mark.parametrize("control", FIRST, ids=lambda control: control.id)
    def test_a_control_of_each_domain_has_its_page(self, shared, control):
        check_page(shared, control)

    @pytest.mark.soak
    @pytest.mark.parametrize("control", RULES.controls, ids=lambda control: control.id)
    def test_every_control_has_its_page(self, shared, control):
        check_page(shared, control)

    @pytest.mark.parametrize("act", ["NIS2", "2024/2690", "AI Act", "CRA", "GDPR", "DORA"])
    def test_every_provision_is_listed_and_no_page_is_too_long(self, shared, act):
        seen, number = [], 1
        while True:
            page = shared.get("/obligations", params={"act": act, "page": number})
            assert page.status_code == 200
            assert len(page.content) < 100_000
            ids = [one for one in RULES.obligations if f'<tr id="{one}"' in page.text]
            seen += ids
            if "More provisions" not in page.text:
                break
            number += 1
        assert sorted(seen) == sorted(name for name, one in RULES.obligations.items() if one.act == act)

    @pytest.mark.parametrize("framework", [*crosswalk.load(), *crosswalk.acts(RULES)])
    def test_every_list_has_its_page_which_says_whose_mapping_it_is(self, shared, framework):
        page = shared.get(f"/frameworks/{framework}")
        assert page.status_code == 200
        assert "our own mapping" in page.text
        assert len(page.content) < 100_000

    def test_no_page_says_more_than_is_shown(self, shared):
        for path in ("/obligations", "/frameworks", "/frameworks/iso_27001_2022", "/threats", "/proof", "/approvals"):
            text = shared.get(path).text.lower()
            for word in ("compliant", "guarantee", "protected against", "fully covered"):
                assert word not in text, (path, word)

    def test_of_an_empty_tenant_nothing_reads_satisfied(self, shared):
        document = shared.get(f"{API}/threats").json()
        assert {one["state"] for one in document["threats"]}.isdisjoint({"satisfied"})
        lists = shared.get(f"{API}/frameworks").json()["frameworks"]
        assert {one["states"]["satisfied"] for one in lists} == {0}
        provisions = shared.get(f"{API}/obligations").json()["provisions"]
        assert {one["state"] for one in provisions}.isdisjoint({"satisfied"})


@pytest.fixture(scope="module")
def shared(made_home, tmp_path_factory):
    """A client of an installation in which nothing was recorded, for tests that only read."""
    home = made_home.copy(tmp_path_factory.mktemp("assurance") / "home")
    with home.services(FakeClock()) as services, home.http(services) as client:
        yield client


class TestProof:
    def test_what_is_handed_out_is_what_the_documentation_has(self, shared):
        got = shared.get("/proof/verify_pack.py")
        assert got.headers["content-disposition"] == 'attachment; filename="verify_pack.py"'
        assert got.content == (Path(__file__).parents[2] / "docs" / "auditors" / "verify_pack.py").read_bytes()
        assert shared.get("/proof/etc-passwd").status_code == 404
        assert shared.get("/proof/..%2fverify_pack.py").status_code == 404

    def test_a_pack_that_was_made_stands_there_with_its_record(self, services, home, http):
        assert "No pack yet" in http.get("/proof").text
        handed_out(services, home)
        page = http.get("/proof").text
        (logged,) = services.ledger.statements(home.actor().tenant, ("report.exported",))
        assert f'href="/evidence/{logged.entry}"' in page
        assert f'data-proof="/evidence/{logged.entry}/proof.json"' in page


class TestApprovals:
    def test_an_act_waits_for_the_person_and_for_nobody_else(self, services, home):
        waiting_for(services, home, Role.SECURITY)
        with home.http(services, Role.SECURITY) as theirs:
            page = theirs.get("/approvals")
            assert "prepared, not signed" in page.text
            assert "/sign/act-" in page.text
            assert 'href="/approvals"' in theirs.get("/").text
        with home.http(services, Role.ENGINEER) as others:
            assert "/sign/act-" not in others.get("/approvals").text
            assert "for your own signature" not in others.get("/").text


VIEWS = (
    ("--act", "NIS2", "--standing", "undetermined"),
    ("--framework", "iso_27001_2022", "--against", "atlas"),
    ("--approvals",),
    ("--proof",),
)
MORE = (
    ("--obligations",),
    ("--provision", "nis2-21.2.g"),
    ("--frameworks",),
    ("--framework", "bsi_c5_2020", "--missing"),
    ("--threats",),
)


@pytest.fixture(scope="module")
def given(made_now, tmp_path_factory):
    return made_now.copy(tmp_path_factory.mktemp("views") / "home").environment()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view[0])
def test_every_view_is_there_in_a_terminal(given, view):
    assert called(given, "status", *view).stdout.strip()


@pytest.mark.soak
@pytest.mark.parametrize("view", MORE, ids=lambda view: view[0])
def test_so_are_the_others(given, view):
    assert called(given, "status", *view).stdout.strip()


def test_a_view_is_a_document_too(given):
    assert json.loads(called(given, "status", "--threats", "--json").stdout)["threats"]


def test_two_views_at_once_are_refused_in_a_sentence(given):
    ended = called(given, "status", "--threats", "--proof")
    assert ended.returncode == 2
    assert "name one view" in ended.stderr
