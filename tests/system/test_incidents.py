"""Incidents as people handle them: verbs that sign, over the whole installation."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.program import called


@pytest.fixture
def run(home_now):
    def verb(*arguments, role=Role.SECURITY, code=0):
        done = called(home_now.environment(role), *arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    return verb


@pytest.fixture
def name(run):
    return run("incident", "declare", "--reason", "somebody called", "--node", "n-00000001")["incident"]


def clocks(document):
    return {clock["id"]: clock for clock in document["clocks"]}


def ago(**given):
    return (datetime.now(UTC) - timedelta(**given)).isoformat(timespec="milliseconds")  # noqa: TID251


def test_an_incident_is_declared_decided_filed_and_closed(run, name):
    assert [one["state"] for one in run("incident", "list")["incidents"]] == ["untriaged"]
    assert list(clocks(run("incident", "show", name))) == ["triage"]
    aware = ago(seconds=1)
    criteria = ("--criteria", run("incident", "show", name)["criteria"][-1]["code"])
    decided = run("incident", "triage", name, "--significant", *criteria, "--reason", "read", "--aware-at", aware)
    assert decided["state"] == "significant"
    early = clocks(decided)["nis2.early_warning"]
    assert early["state"] in {"pending", "undetermined"}
    started = datetime.fromisoformat(early["started_at"])
    assert datetime.fromisoformat(early["due_at"]) - started == timedelta(hours=24)
    filed = run("incident", "notify", name, "--stage", "nis2.early_warning", "--reference", "CSIRT-1")
    assert clocks(filed)["nis2.early_warning"]["state"] == "met"
    closed = run("incident", "close", name, "--reason", "restored")
    assert closed["state"] == "closed"
    assert clocks(closed)["nis2.notification"]["state"] in {"pending", "undetermined"}
    assert closed["timeline_intact"] is True


def test_not_significant_starts_no_clock(run, name):
    decided = run("incident", "triage", name, "--not-significant", "--reason", "guesses only")
    assert (decided["state"], decided["clocks"]) == ("not significant", [])


def test_awareness_in_the_future_is_refused_and_nothing_is_decided(run, name):
    code = run("incident", "show", name)["criteria"][-1]["code"]
    later = ago(hours=-1)
    arguments = ("--significant", "--criteria", code, "--reason", "x", "--aware-at", later)
    refused = run("incident", "triage", name, *arguments, code=2)
    assert "future" in refused["error"]["message"]
    assert run("incident", "show", name)["state"] == "untriaged"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ENGINEER])
def test_only_some_roles_decide(run, name, role):
    refused = run("incident", "triage", name, "--not-significant", "--reason", "x", role=role, code=3)
    assert refused["error"]["kind"] == "refused"
    assert run("incident", "show", name, role=role)["state"] == "untriaged"


def test_the_early_warning_is_written_as_json_and_as_pdf(run, name, tmp_path):
    pytest.importorskip("typst", reason="typst is missing: pip install 'ringfence[documents]'")
    for suffix, head in ((".json", b"{"), (".pdf", b"%PDF-")):
        target = tmp_path / f"warning{suffix}"
        written = run("report", "early-warning", name, "-o", str(target))
        assert target.read_bytes().startswith(head)
        assert "contact" in written["unknown"]
        assert written["statement"]["stage"] == "published"
    run("report", "early-warning", name, "-o", str(target), code=2)
    run("report", "early-warning", name, "-o", str(tmp_path / "warning.docx"), code=2)


def test_corrections_keep_the_old_value(run, name):
    run("incident", "correct", name, "--field", "contact", "--value", "Dana", "--reason", "asked")
    shown = run("incident", "correct", name, "--field", "contact", "--value", "Kim", "--reason", "asked again")
    assert [(one["old"], one["new"]) for one in shown["corrections"]] == [("", "Dana"), ("Dana", "Kim")]
    run("incident", "correct", name, "--field", "contact", "--reason", "x", code=2)
    run("incident", "correct", name, "--merge", name, "--reason", "x", code=2)
    run("incident", "show", "i-ffffffff", code=2)
