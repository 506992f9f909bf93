"""Retention as people use it: routes, verbs and pages; and whoever would keep less than they may."""

import json
from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.retention.schedule import shipped
from ringfence.server import create_app
from ringfence.testing.counting import plain
from ringfence.testing.home import TENANT
from ringfence.testing.program import called
from ringfence.testing.retention import PERSONAL, commitment_of, details_of, told
from ringfence.testing.routes import routes_of

DAY = timedelta(days=1)
API = "/api/v1/retention"
VERBS = {"list", "show", "hold", "release", "erase", "sweep"}
BELOW = [one for one in shipped().classes if one.floor > 1]


@pytest.fixture
def http(services, home):
    with home.http(services) as client:
        yield client


def test_a_hold_an_erasure_and_a_sweep_over_http(services, http):
    envelope, other = told(services), told(services)
    hold = http.post(f"{API}/holds", json={"family": "lab", "because": "a court asked"})
    assert hold.status_code == 201, hold.text
    erasure = {"statement": str(envelope), "because": "Article 17"}
    refused = http.post(f"{API}/erasures", json=erasure)
    assert refused.status_code == 403
    assert hold.json()["hold"] in refused.json()["detail"]
    dry = http.post(f"{API}/erasures", json=erasure | {"dry_run": True}).json()
    assert [item["fate"] for item in dry["items"]] == ["held"]
    released = http.post(f"{API}/holds/{hold.json()['hold']}/release", json={"because": "over"})
    assert released.json()["statement"]["stage"] == "published"
    done = http.post(f"{API}/erasures", json=erasure).json()
    assert (done["destroyed"], done["statement"]["stage"]) == (1, "published")
    assert "backups" in done["not_erased"]
    assert (details_of(services, envelope), details_of(services, other)) == (None, {"who": PERSONAL})
    assert http.post(f"{API}/sweeps", json={}).json() == {"runs": []}


def test_the_list_says_what_why_and_until_when(http):
    document = http.get(API).json()
    assert [one["class"] for one in document["classes"]] == [one.name for one in shipped().classes]
    assert all(one["purpose"] and one["starts"] for one in document["classes"])
    assert any("ackups" in one["title"] for one in document["elsewhere"])
    assert http.get(f"{API}/classes/nothing").status_code == 404


NO_HOLDS = [
    {"because": "x"},
    {"family": "lab"},
    {"person": "ada", "because": "x"},
    {"family": "Lab!", "because": "x"},
    {"start": "2026-11-22T00:00:00", "because": "x"},
    {"family": "lab", "because": "x" * 1001},
    {"family": "lab", "because": "x", "days": 1},
]


def test_a_hold_that_is_none_is_refused(http):
    for body in NO_HOLDS:
        assert http.post(f"{API}/holds", json=body).status_code in {400, 422}, body
    assert http.get(API).json()["holds"] == []


def test_no_route_takes_a_period(services):
    """The classes and a file in the home set periods; nothing that is asked over the network does."""
    app = create_app(services)
    assert {str(route) for route in routes_of(app) if "retention" in route.path} == {
        "GET /api/v1/retention",
        "GET /api/v1/retention/classes/{name}",
        "POST /api/v1/retention/holds",
        "POST /api/v1/retention/holds/{hold}/release",
        "POST /api/v1/retention/erasures",
        "POST /api/v1/retention/sweeps",
        "GET /retention",
        "POST /retention/holds",
        "POST /retention/holds/{hold}/release",
    }
    document = app.openapi()["components"]["schemas"]
    for name in ("NewHold", "Release", "Erasure", "Sweep"):
        assert not {"days", "period", "minimum"} & set(document[name].get("properties", {}))


def test_a_period_below_its_minimum_stops_every_verb_and_destroys_nothing(services, home, clock, http):
    """Whoever has the home can write the file; no sweep, erasure or loop follows it."""
    envelope = told(services)
    clock.advance(5000 * DAY)
    for one in BELOW:
        (home.path / "retention.yaml").write_text(f"days: {{{one.name}: {one.floor - 1}}}\n")
        asked = [
            http.get(API),
            http.get(f"{API}/classes/{one.name}"),
            http.post(f"{API}/sweeps", json={}),
            http.post(f"{API}/erasures", json={"subject": "system/lab", "because": "x"}),
        ]
        for answer in asked:
            assert answer.status_code == 403, answer.text
            assert f"at least {one.floor}" in answer.json()["detail"]
        page = http.get("/retention")
        assert page.status_code == 200
        assert f"at least {one.floor}" in page.text
    assert details_of(services, envelope) is not None


def test_only_owners_destroy(services, home):
    app = create_app(services)
    for role in set(Role) - {Role.OWNER}:
        with home.http(services, role, app=app) as http:
            assert http.post(f"{API}/erasures", json={"subject": "system/lab", "because": "x"}).status_code == 403
            assert http.post(f"{API}/sweeps", json={}).status_code == 403


def test_pages_say_until_when_and_since_when(services, http, clock):
    envelope = told(services)
    entry = services.ledger.statements(TENANT)[-1].entry
    assert "Details kept until 2029-11-21" in http.get(f"/evidence/{entry}").text
    http.post(f"{API}/holds", json={"family": "lab", "because": "a court asked"})
    page = http.get("/retention").text
    assert "statements of the kind lab" in page
    assert "a court asked" not in page
    clock.advance(1096 * DAY)
    assert "1 held" in plain(http.get("/retention").text)
    hold = http.get(API).json()["holds"][0]["hold"]
    http.post(f"{API}/holds/{hold}/release", json={"because": "over"})
    services.retention.sweeper()
    shown = http.get(f"/evidence/{entry}").text
    assert "Details erased on 2029-11-22" in shown
    assert PERSONAL not in shown
    assert services.retention.fate(TENANT, commitment_of(services, envelope))


def test_the_form_of_the_page_places_a_hold(services, http):
    form = {"family": "lab", "because": "a court asked", "person": "", "incident": "", "start": "2026-11-22T00:00"}
    answer = http.post("/retention/holds", data=form)
    assert answer.status_code == 303, answer.text
    (hold,) = services.retention.holds(TENANT)
    assert hold.scope.start is not None
    http.post(f"/retention/holds/{hold.id}/release", data={"because": "over"})
    assert services.retention.holds(TENANT)[0].released_at is not None


@pytest.fixture
def verb(home_now):
    """Run a verb of retention and return its document."""

    def done(*arguments):
        ended = called(home_now.environment(), "retention", *arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return done


def test_the_verbs_say_the_same(verb, home_now):
    assert len(verb("list")["classes"]) == len(shipped().classes)
    held = verb("hold", "--predicate", "lab", "--from", "2026-11-22", "--because", "a court asked")
    assert held["covers"] == "statements of the kind lab, from 2026-11-22T00:00:00.000Z"
    assert verb("release", held["hold"], "--because", "over")["statement"]["stage"] == "published"
    assert verb("sweep") == {"runs": []}
    assert verb("show", "sessions")["days"] == 7
    person = home_now.people[Role.AUDITOR].id
    plan = verb("erase", "--person", person, "--because", "Article 17", "--dry-run")
    assert [item["type"] for item in plan["items"]] == ["key.enrolled"]
    assert verb("erase", "--person", person, "--because", "Article 17")["destroyed"] == 1


def test_what_a_verb_cannot_do_is_one_sentence(home_now):
    given = home_now.environment()
    for arguments in (
        ("erase", "--because", "x"),
        ("erase", "--because", "x", "--statement", "no"),
        ("hold", "--because", "x", "--from", "soon"),
        ("release", "../..", "--because", "x"),
        ("erase", "--subject", "x"),
    ):
        ended = called(given, "retention", *arguments)
        assert ended.returncode == 2, ended.stderr
        assert "Traceback" not in ended.stderr


def test_people_read_the_same_in_words(home_now):
    given = home_now.environment()
    held = called(given, "retention", "hold", "--predicate", "lab", "--because", "a court asked")
    assert "statements of the kind lab" in held.stdout
    assert "hold-" in called(given, "retention", "list").stdout
    assert "AI Act 19(1), 26(6)" in called(given, "retention", "show", "inference-records").stdout
    assert "nothing is past its period" in called(given, "retention", "sweep", "--dry-run").stdout
    person = home_now.people[Role.AUDITOR].id
    assert "1 erased, 0 held" in called(given, "retention", "erase", "--person", person, "--because", "x").stdout
