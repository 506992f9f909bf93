from dataclasses import replace

import pytest

from ringfence.kernel.actor import Role
from ringfence.obligations.results import State, Verdict
from ringfence.testing.home import TENANT
from ringfence.workloads.console.collecting import asked, asking, turns

HERE = {"origin": "http://127.0.0.1:8400"}
PAGE = {"accept": "text/html"}


def test_the_controls_that_ask_for_an_evidence_type_are_found(services):
    board = services.status.board(TENANT)
    (one,) = asking(board, "log.coverage")
    assert one.control.id == "LOG-01"
    assert {part.requirement.evidence for part in asked(one, "log.coverage")} == {"log.coverage"}
    assert asking(board, "nobody.asks") == []


def test_a_control_turns_where_its_state_is_another_one(services):
    before = services.status.board(TENANT)
    met = Verdict(State.SATISFIED, "all is there")
    after = replace(before, controls=tuple(replace(one, verdict=met) for one in before.controls))
    assert [turn.turned for turn in turns(before, after, "log.coverage")] == [True]
    assert [turn.turned for turn in turns(before, before, "log.coverage")] == [False]


@pytest.fixture
def http(services, home):
    with home.http(services, role=Role.SECURITY) as client:
        yield client


def test_a_row_turns_or_the_page_says_why_not(http, services):
    before = http.get("/records/log.heartbeat").text
    assert "Run it" in before
    assert "What came of it" not in before
    answer = http.post("/records/log.heartbeat", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/records/log.heartbeat#came")
    after = http.get("/records/log.heartbeat").text
    assert "What came of it" in after
    (logged,) = services.ledger.statements(TENANT, ("log.heartbeat",))
    assert f"/evidence/{logged.entry}" in after
    for one in asking(services.status.board(TENANT), "log.heartbeat"):
        assert one.control.id in after
        assert one.verdict.because.split(":")[0][:20] in after


def test_an_unknown_collector_is_not_found(http):
    assert http.get("/records/no.collector").status_code == 404
    assert http.post("/records/vendor.review").status_code == 404  # a form, which only a person fills


def test_a_page_shows_no_button_that_could_only_refuse(services, home):
    with home.http(services, role=Role.AUDITOR) as client:
        assert "<button>Run it" not in client.get("/records/log.heartbeat").text
        assert client.post("/records/log.heartbeat").status_code == 403
    assert services.ledger.statements(TENANT, ("log.heartbeat",)) == []


def test_why_nothing_was_stated_is_on_the_page(services, home):
    with home.http(services, role=Role.SECURITY) as client:
        client.post("/records/backup.restore_drill")
        text = client.get("/records/backup.restore_drill").text
    stated = services.ledger.statements(TENANT, ("backup.restore_drill",))
    assert ("Nothing was stated: " in text) != bool(stated)
