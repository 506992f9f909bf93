"""`ringfence approve`, `resolution`, `oversight` and the Decisions pages: from terminal to signature."""

import json
from datetime import timedelta

import pytest

from ringfence.frontends.client import posted
from ringfence.governance.resolutions.statements import VOTED, voted
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.voting import Choice
from ringfence.reports.recompute import needs_of, recompute, rules_of
from ringfence.reports.service import draft_of
from ringfence.reports.verify import verify
from ringfence.server import create_app
from ringfence.testing import program
from ringfence.testing.governing import sitting
from ringfence.testing.home import TENANT, signed

HTML = {"accept": "text/html"}


@pytest.fixture
def say(home_now):
    """Run a verb in this process, in a home with one person per role."""

    def verb(*arguments, **environment):
        return program.called({"RINGFENCE_HOME": str(home_now.path)} | environment, *map(str, arguments))

    return verb


def read(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_resolution_from_the_terminal_to_the_page_of_a_vote(say, home_now, tmp_path):
    (tmp_path / "paper.pdf").write_bytes(b"what they saw")
    (tmp_path / "text.md").write_text("We approve it.\n")
    put = read(
        say(
            *("approve", "GOV-05", "--shown", "control-status", "--attach", tmp_path / "paper.pdf", "--record", 2),
            "--json",
        )
    )
    assert (put["about"], put["members"], put["quorum"]) == ("measures", [home_now.people[Role.MANAGEMENT].id], 1)
    (file,) = put["files"]
    assert file["digest"] == str(Digest.of(bytes.fromhex(file["salt"]) + b"what they saw"))
    other = read(say("resolution", "open", "--about", "BCM-05", "--text", tmp_path / "text.md", "--days", 3, "--json"))
    assert (other["text"], other["about"]) == ("We approve it.", "BCM-05")
    listed = read(say("resolution", "list", "--json"))["resolutions"]
    assert [one["resolution"] for one in listed] == [other["resolution"], put["resolution"]]
    assert "0 of 1 voted (1 must)" in say("resolution", "list").stdout
    assert "not a qualified electronic signature" in say("resolution", "show", put["resolution"]).stdout
    assert "control status" in say("oversight", "list").stdout
    assert read(say("oversight", "list", "--json"))["members"][0]["recorded"] is False
    member = home_now.people[Role.MANAGEMENT].id
    done = say("resolution", "vote", put["resolution"], "agree", RINGFENCE_OPERATOR=member)
    assert done.returncode == 4, done.stderr
    assert "a passkey signs in the console" in done.stderr
    assert say("resolution", "close", put["resolution"]).returncode == 2  # a missing vote can turn it
    assert say("resolution", "show", "resolution-ffffffffffff").returncode == 2
    assert say("approve", "ZZZ-99").returncode == 2
    assert say("resolution", "open", "--text", tmp_path / "none.md").returncode == 2


def test_nobody_posts_a_vote_past_the_page(services, home):
    """The general way for signed statements takes none; neither does a service's key, and there is no other route."""
    body = sitting(services, home, 2)
    put, member = body.put(), body.members[0]
    wanted = voted(put.id, put.opening, Choice.AGREE)
    with home.http(services, Role.MANAGEMENT) as http:
        envelope, opening = signed(services, member.person, wanted)
        answer = http.post("/api/v1/statements", json=posted(envelope, opening))
        assert answer.status_code >= 400
        assert http.post(f"/api/v1/resolutions/{put.id}/votes", json=posted(envelope, opening)).status_code == 404
        shown = http.get(f"/api/v1/resolutions/{put.id}").json()
    assert shown["votes"] == []
    services.ledger.integrate()
    assert services.ledger.statements(TENANT, (VOTED,)) == []
    account = services.access.accounts.enrol(home.actor(), "bot", Role.MANAGEMENT, frozenset({"resolution.read"}), 1)
    with home.http(services, None) as http:
        http.headers["authorization"] = f"Bearer {account.secret}"
        assert http.get("/api/v1/resolutions").status_code == 200
        for path in ("/api/v1/resolutions/draft", f"/decisions/{put.id}/vote"):
            assert http.post(path, json={}, data=None).status_code == 403


def test_the_pages_say_it_without_a_script(services, home, clock):
    body = sitting(services, home, 2)
    put = body.put(title="<script>alert(1)</script>", text="A\nB")
    app = create_app(services)
    with home.http(services, Role.MANAGEMENT, app=app) as http:
        page = http.get("/decisions", headers=HTML).text
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert f'href="/decisions/{put.id}"' in page
        assert f"/decisions/{put.id}" in http.get("/approvals", headers=HTML).text
        wrong = http.post(f"/decisions/{put.id}/vote", data={"choice": "disagree"}, headers=HTML)
        assert wrong.status_code == 422
        assert "who disagrees says why" in wrong.text
        good = http.post(
            f"/decisions/{put.id}/vote", data={"choice": "abstain", "sentence": " later "}, follow_redirects=False
        )
        assert good.headers["location"].startswith("/sign/act-")
        sign = http.get(good.headers["location"], headers=HTML).text
        assert str(put.opening).removeprefix("sha256:") in sign
        assert "later" in sign
        for field, value in (("records", "x"), ("document", "x"), ("about", "x"), ("days", "0"), ("shown", "x")):
            assert http.post("/decisions", data={field: value}).status_code >= 400, field
        asked = {"shown": ["incidents", "open-risks"], "records": "1, 2", "text": "a\r\nb", "document": ""}
        asked["document"] = f"{'0' * 64} {Digest.of(b'x')} board paper.pdf"
        to_sign = http.post("/decisions", data=asked, follow_redirects=False)
        assert to_sign.headers["location"].startswith("/sign/act-")
        assert "board paper.pdf" in http.get(to_sign.headers["location"], headers=HTML).text
        for member in body.members:
            body.vote(put, member, Choice.AGREE)
        services.ledger.integrate()
        assert "Check one yourself" in http.get("/decisions", headers=HTML).text
        assert "approved" in http.get(f"/decisions/{put.id}", headers=HTML).text
        assert f"/decisions/{put.id}" not in http.get("/approvals", headers=HTML).text
    with home.http(services, Role.OWNER, app=app) as http:
        late = body.put(days=1)
        clock.advance(timedelta(days=1))
        assert "End it now" in http.get(f"/decisions/{late.id}", headers=HTML).text
        ended = http.post(f"/decisions/{late.id}/close", follow_redirects=False)
        assert ended.headers["location"] == f"/decisions/{late.id}"
        assert "no quorum" in http.get(f"/decisions/{late.id}", headers=HTML).text


def test_a_stranger_counts_the_votes_again_offline(services, home):
    body = sitting(services, home, 3)
    put = body.put()
    for member in body.members:
        body.vote(put, member, Choice.AGREE)
    services.ledger.integrate()
    draft = draft_of(services.packs.preview(TENANT).to_json())
    pack = services.packs.issue(*signed(services, home.people[Role.OWNER], draft), by=home.actor())
    outcome = verify(pack, services.packs.trust)
    assert outcome.ok, outcome.failures
    rules = services.status.catalog
    again = recompute(outcome, rules_of(rules, demo=False), needs_of(rules))
    assert again.ok, again.failures
    assert "counted otherwise" not in json.dumps(outcome.status)
    votes = [one for one in outcome.statements if one.envelope.statement.predicate == VOTED]
    assert {one.issuer.algorithm for one in votes} == {"webauthn-es256"}
