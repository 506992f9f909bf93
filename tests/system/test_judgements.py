"""Risks, exceptions and opinions by their verbs and routes, beside a status that stays."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.opinions import statements as opinions
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.home import TENANT
from ringfence.testing.judging import GIVEN, Signers
from ringfence.testing.program import called
from ringfence.testing.routes import routes_of

FILE = "title,likelihood,impact,review_on,owner,controls\nWeights are taken,4,5,2027-05-01,Head of platform,DAT-01\n"
JUDGED = ("/risks", "/exceptions", "/opinions", "/beside")


@pytest.fixture
def verb(home_now):
    """Run a verb and return its document."""

    def done(*arguments):
        ended = called(home_now.environment(), *arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return done


def in_days(days):
    """Return a day, counted from the real one: this home runs by the clock of the machine."""
    return str(SystemClock().now().date() + timedelta(days=days))


def test_the_verbs_keep_a_register_and_the_status_stays(verb, home_now, tmp_path):
    before = json.dumps(verb("status")["controls"])
    (tmp_path / "register.csv").write_text(FILE)
    (risk,) = verb("risk", "import", str(tmp_path / "register.csv"))["risks"]
    ratings = ("--residual-likelihood", "1", "--residual-impact", "5")
    verb("risk", "treat", risk, "reduce", "--plan", "Seal it", *ratings, "--due", "2027-02-01", "--control", "MOD-01")
    rated = ("--likelihood", "3", "--impact", "5", "--review-on", in_days(300))
    verb("risk", "review", risk, *rated, "--note", "Looked at it")
    document = verb("risk", "list")
    assert (document["counts"]["risks"], document["counts"]["undecided"]) == (1, 0)
    shown = verb("risk", "show", risk)
    assert (shown["owner_words"], shown["likelihood"], len(shown["entries"])) == ("Head of platform", 3, 3)
    asked = verb("exception", "add", "MOD-01", "--reason", "Not yet", "--until", in_days(60), "--instead", "MOD-02")
    assert verb("exception", "list")["exceptions"][0]["state"] == "waiting"
    verb("exception", "end", asked["exception"], "--reason", "Not needed")
    assert verb("opinion", "list", "MOD-01") == {"opinions": []}
    assert json.dumps(verb("status")["controls"]) == before
    words = called(home_now.environment(), "risk", "list").stdout
    assert "Weights are taken" in words
    assert "reduce, leaves moderate" in words
    assert "ended" in called(home_now.environment(), "exception", "list").stdout


def test_what_a_verb_cannot_do_is_one_sentence(home_now, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(FILE + "Another,9,5,2027-05-01,,\n")
    for arguments, code in (
        (("risk", "import", str(bad)), 2),
        (("risk", "show", "risk-1"), 2),
        (("risk", "accept", "risk-0123456789ab", "--until", "2027-01-01", "--reason", "x"), 2),
        (("exception", "add", "XXX-99", "--reason", "x", "--until", "2027-01-01"), 2),
        (("exception", "add", "MOD-01", "--reason", "x", "--until", "2099-01-01"), 3),
    ):
        ended = called(home_now.environment(), *arguments)
        assert ended.returncode == code, (arguments, ended.stderr)
        assert "Traceback" not in ended.stderr
    assert json.loads(called(home_now.environment(), "risk", "list", "--json").stdout)["risks"] == []


def posted(pair):
    envelope, opening = pair
    return {
        "envelope": base64.b64encode(envelope.data).decode(),
        "opening": opening.to_text() if opening else None,
    }


def test_an_opinion_by_anybody_else_than_an_auditor_is_refused_at_the_door(services, home):
    people = Signers(services, home)
    people.key(Role.OWNER)
    now = services.judgements.opinions.on(TENANT, GIVEN.control)
    body = posted(people.passkey(Role.OWNER, opinions.given(replace(GIVEN, rules=now.rules, status=now.state))))
    with home.http(services, Role.OWNER) as http:
        answer = http.post("/api/v1/opinions", json=body)
        assert (answer.status_code, "opinion.give" in answer.text) == (403, True)
        assert http.get("/api/v1/beside").json() == {"beside": {}}
        around = http.post("/api/v1/statements", json=body)
        assert around.status_code == 403
    services.ledger.integrate()
    assert services.ledger.statements(TENANT, opinions.ALL) == []


def test_no_route_deletes_or_changes_what_was_judged(services):
    found = {str(route) for route in routes_of(create_app(services)) if any(word in route.path for word in JUDGED)}
    assert {each.split()[0] for each in found} == {"GET", "POST"}
    assert {each for each in found if each.startswith("POST /api")} == {
        "POST /api/v1/risks",
        "POST /api/v1/risks/{risk}/treatments",
        "POST /api/v1/risks/{risk}/reviews",
        "POST /api/v1/risks/{risk}/acceptances",
        "POST /api/v1/exceptions",
        "POST /api/v1/exceptions/{exception}/approvals",
        "POST /api/v1/exceptions/{exception}/ends",
        "POST /api/v1/opinions",
        "POST /api/v1/opinions/{opinion}/withdrawals",
    }
    assert len(exceptions.ALL) == 3


def test_the_pages_prepare_what_is_signed(services, home):
    form = {
        "title": "A key is lost",
        "likelihood": 2,
        "impact": 3,
        "review_on": "2027-05-01",
        "owner_words": "platform",
    }
    with home.http(services, Role.SECURITY) as http:
        answer = http.post("/risks", data=form, follow_redirects=False)
        assert answer.headers["location"].startswith("/sign/act-"), answer.text
        for wrong in ({"impact": 6}, {"review_on": "soon"}, {"controls": "XXX-99"}, {"title": ""}):
            assert http.post("/risks", data=form | wrong).status_code == 422
        wanted = {"control": "MOD-01", "until": "2026-12-24", "reason": "Not yet"}
        answer = http.post("/exceptions", data=wanted, follow_redirects=False)
        assert answer.headers["location"].startswith("/sign/act-"), answer.text
        assert http.post("/exceptions", data=wanted | {"until": "2030-01-01"}).status_code == 403
        assert http.get("/risks?level=huge").status_code == 422
    assert services.judgements.risks.all(TENANT) == []
