from contextlib import contextmanager

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from ringfence.frontends import http, page
from ringfence.frontends.client import InProcessTransport
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages
from ringfence.soc import api, console, shown
from ringfence.soc.action import State
from ringfence.soc.playbook import shipped
from ringfence.soc.policy import Mode, Policy
from ringfence.testing.console import OpenDoor, fetch
from ringfence.testing.ledger import LabLog
from ringfence.testing.soc import PERSON, TENANT, WatchLab, finding, node

TAKEN = "ssh-guessing-then-success"
HOSTILE = "<script>alert(1)</script>\x1b[2J"


@pytest.fixture
def lab():
    return WatchLab()


class Shelf:
    """The statements of a lab in a made-up log; each is said to stand at entry 7."""

    def __init__(self, lab):
        self.lab, self.log = lab, LabLog(tenant=TENANT)
        self.taken = 0

    def entry_of(self, _envelope):
        return 7

    def head(self):
        return self.log.head()

    def statements(self, tenant, predicates=None, *, at=None):
        for draft in self.lab.recorder.drafts[self.taken :]:
            self.log.state_draft(draft, by="control")
        self.taken = len(self.lab.recorder.drafts)
        return self.log.statements(tenant, predicates, at=at)


@pytest.fixture
def app(lab):
    made = FastAPI(openapi_url=None)
    made.state.door = OpenDoor(TENANT)
    made.state.pages = Pages(lab.clock)
    http.install(made)
    page.install(made)
    made.include_router(console.router(lab.watch, made.state.pages, Shelf(lab), Live(LabLog())))
    made.include_router(api.router(lab.watch, clock=lab.clock), prefix="/api/v1")
    return made


def test_the_row_says_the_most_drastic_thing(lab):
    lab.see(finding(TAKEN), node())
    ((raised, rulings),) = lab.watch.page(TENANT)
    row = shown.row(raised, rulings)
    assert (row.said, row.state) == ("the node was isolated", "satisfied")
    assert shown.row(raised, []).state == "pending"
    assert shown.to_json(raised, rulings)["actions"][0]["says"] == "the node was isolated"


def test_the_row_says_first_what_waits_for_a_person(lab):
    lab.set(Policy(isolations=0, share_percent=0))
    lab.see(finding(TAKEN), node())
    raised = lab.findings.by_reference(TENANT, "f-000000000000000000000001")
    rulings = lab.findings.rulings(TENANT, raised.reference)
    assert {one.state for one in rulings} > {State.DONE, State.WAITING}
    row = shown.row(raised, rulings)
    assert (row.state, "a person decides" in row.said) == ("pending", True)


def test_a_storm_is_of_no_node(lab):
    lab.set(Policy(isolations=0, share_percent=0))
    lab.see(finding(TAKEN), node())
    (storm,) = lab.findings.page(TENANT, limit=9, rule="response-storm")
    assert shown.row(storm, []).node == ""


def test_settings_are_shown_with_their_playbooks():
    document = shown.settings_json(2, Policy(), shipped())
    assert document["version"] == 2
    assert {"rule": TAKEN, "actions": ["isolate-node", "block-source", "alert"], "attempts": False} in document[
        "playbooks"
    ]


def test_the_empty_page_teaches(app):
    answer = fetch(app, "/findings", accept="text/html")
    assert answer.status_code == 200
    assert "ringfence events ingest FILE --source sshd" in answer.text


def test_the_pages_lead_from_the_lines_to_the_act(app, lab):
    lab.see(finding(TAKEN), node())
    assert "the node was isolated" in fetch(app, "/findings", accept="text/html").text
    text = fetch(app, "/findings/f-000000000000000000000001", accept="text/html").text
    assert 'href="/evidence/7"' in text
    assert "rule ssh-guessing-then-success" in text
    assert "after the line" in text


def test_hostile_text_is_escaped_everywhere(app, lab):
    lab.see(finding(TAKEN, source=HOSTILE, title=HOSTILE), node(name="n-00000001"))
    for path in ("/findings", "/findings/f-000000000000000000000001", "/api/v1/findings"):
        text = fetch(app, path, accept="text/html").text
        assert "\x1b" not in text
        assert "<script>alert" not in text or path.startswith("/api")


def test_what_waits_is_shown_with_its_command(app, lab):
    lab.set(Policy(isolations=0, share_percent=0))
    lab.see(finding(TAKEN), node())
    assert "those first that wait for a person (1)" in fetch(app, "/findings", accept="text/html").text
    text = fetch(app, "/findings/f-000000000000000000000001", accept="text/html").text
    assert "ringfence node quarantine name-of-n-00000001" in text


def test_what_was_settled_says_who_did_and_what_they_said(app, lab):
    lab.set(Policy(isolations=0, share_percent=0))
    lab.see(finding(TAKEN), node())
    place = "f-000000000000000000000001"
    with client(app) as http:
        for bad in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "x", "by": "me"}):
            assert http.post(f"/api/v1/findings/{place}/settle", json=bad).status_code == 422
        answer = http.post(f"/api/v1/findings/{place}/settle", json={"reason": f" cut by hand {HOSTILE} "})
        assert (answer.status_code, answer.json()["statement"]["stage"]) == (201, "published")
        assert http.post(f"/api/v1/findings/{place}/settle", json={"reason": "again"}).status_code == 409
        assert http.post("/api/v1/findings/f-nothing/settle", json={"reason": "x"}).status_code == 404
    text = fetch(app, f"/findings/{place}", accept="text/html").text
    assert f"settled by {PERSON.id}" in text
    assert "cut by hand &lt;script&gt;" in text
    assert "\x1b" not in text
    assert "What waits for a person" not in text
    assert "those first that wait" not in fetch(app, "/findings", accept="text/html").text


def test_what_waits_comes_first_and_is_called_so(app, lab):
    lab.see(finding(TAKEN, "n-2"), node("n-2"))
    lab.set(Policy(isolations=1, share_percent=0))
    lab.see(finding(TAKEN), node())
    lab.see(finding("ssh-guessing", "n-3"), node("n-3"))
    text = fetch(app, "/findings", accept="text/html").text
    assert text.index("already; a person decides") < text.index("the node was isolated")
    assert text.count("data-row") == lab.findings.count(TENANT)
    for rule in ("ssh-guessing", "%3Cscript%3E&x="):
        assert "already; a person decides" not in fetch(app, f"/findings?rule={rule}", accept="text/html").text


def test_a_dry_run_is_said_at_the_top(app, lab):
    lab.set(Policy(mode=Mode.DRY_RUN))
    assert "Dry run" in fetch(app, "/findings", accept="text/html").text


def test_an_unknown_finding_is_not_found(app):
    assert fetch(app, "/findings/f-nothing", accept="text/html").status_code == 404
    assert fetch(app, "/api/v1/findings/f-nothing").status_code == 404


def test_the_api_lists_and_shows(app, lab):
    lab.see(finding(TAKEN), node())
    document = fetch(app, "/api/v1/findings").json()
    assert document["total"] == 1
    one = fetch(app, f"/api/v1/findings/{document['findings'][0]['finding']}").json()
    assert one["alerts"][0]["state"] == "waiting"
    assert fetch(app, "/api/v1/playbook").json()["version"] == 0
    assert fetch(app, "/api/v1/findings?limit=0").status_code == 422


@contextmanager
def client(app):
    with start_blocking_portal() as portal:
        transport = InProcessTransport(app, portal)
        with httpx.Client(
            base_url="http://127.0.0.1", transport=transport, headers={"authorization": "Bearer x"}
        ) as made:
            yield made


def test_lines_that_are_handed_in_act_on_nothing(app, lab):
    lines = "\n".join(
        [f"2026-11-22T08:00:0{i}.000Z Failed password for root from 203.0.113.7 port 4 ssh2" for i in range(6)]
        + ["2026-11-22T08:00:09.000Z Accepted password for root from 203.0.113.7 port 4 ssh2"]
    )
    with client(app) as http:
        answer = http.post("/api/v1/events", json={"source": "sshd", "lines": lines, "node": "n-00000001"})
        again = http.post("/api/v1/events", json={"source": "sshd", "lines": lines, "node": "n-00000001"})
        assert http.post("/api/v1/events", json={"source": "sshd", "lines": lines, "node": "../x"}).status_code == 422
        assert http.post("/api/v1/events", json={"source": "syslog", "lines": lines}).status_code == 422
    assert answer.status_code == 201
    assert {found["rule"] for found in answer.json()["findings"]} >= {"ssh-guessing", TAKEN}
    assert again.json()["recorded"] == answer.json()["recorded"]
    lab.answers.sweep()
    assert lab.responder.isolated == lab.responder.blocked == lab.observers.heard == []
    assert lab.mailbox.rows == {}


def test_settings_are_changed_from_the_version_that_was_read(app, lab):
    with client(app) as http:
        known = http.get("/api/v1/playbook").json()
        wanted = {"version": known["version"], "settings": known["settings"] | {"mode": "dry-run"}}
        answer = http.put("/api/v1/playbook", json=wanted)
        assert answer.json()["version"] == 1
        assert answer.json()["statement"]["stage"] == "published"
        assert http.put("/api/v1/playbook", json=wanted).status_code == 409
        assert http.put("/api/v1/playbook", json={"version": 1, "settings": {"mode": "off"}}).status_code == 422
    assert len(lab.recorder.named("detection.changed")) == len(lab.mailbox.rows) == 1
