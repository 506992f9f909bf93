"""`ringfence rules` and `ringfence profile`: what a team chooses, from its files to a pack that a stranger checks."""

import base64
import json
import subprocess
import sys

import pytest

from ringfence.kernel.actor import Role
from ringfence.reports.bundle import zipapp
from ringfence.testing import program
from ringfence.testing.choices import ASIDE, FRANKER, META, SHORTER, override
from ringfence.testing.home import draft, signed

NOW = META.replace("2026-11-01", "2026-11-22")


@pytest.fixture
def say(home_now):
    """Run a verb in this process, in a home with one person per role."""

    def verb(*arguments, **environment):
        return program.called({"RINGFENCE_HOME": str(home_now.path)} | environment, *map(str, arguments))

    return verb


def read(say, *arguments):
    done = say(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_overrides_from_a_file_to_a_pack(say, home_now, tmp_path):
    override(home_now.path, SHORTER, FRANKER, ASIDE, meta=NOW)
    checked = read(say, "rules", "check")
    assert (checked["rows"], checked["set_aside"]) == (3, ["SEC-10"])
    before = read(say, "status")
    assert before["rules"] == checked["rules"]
    assert say("rules", "sign", "SEC-10").returncode == 0
    after = read(say, "status")
    assert after["overrides"]["set_aside"] == 1
    assert after["overrides"]["denominator_with_set_aside"] == before["counts"]["denominator"]
    pack, trust = tmp_path / "a.pack", home_now.path / "trust.json"
    assert say("report", "pack", "-o", pack).returncode == 0
    (tmp_path / "recheck.pyz").write_bytes(zipapp())
    command = [sys.executable, "-I", str(tmp_path / "recheck.pyz"), str(pack), "--trust", str(trust), "--recompute"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "the status follows from the records" in done.stdout) == (0, True), done.stdout


def test_a_file_that_loosens_is_refused_with_its_place_and_ours_count(say, home_now):
    shipped = read(say, "status")["rules"]
    override(home_now.path, SHORTER.replace("60", "600"), FRANKER, meta=NOW)
    refused = say("rules", "check")
    assert refused.returncode != 0
    assert "overrides/10-team.yaml:3:" in refused.stderr
    assert "shorter only; ours is 92 days" in refused.stderr
    found = read(say, "status")
    assert (found["rules"], found["overrides"]) == (shipped, None)
    assert [one["rule"] for one in found["not_working"]] == ["overrides-refused"]


def test_versions_are_compared(say, home_now, tmp_path):
    edition = tmp_path / "rules.json"
    edition.write_text(say("rules", "show", "--edition").stdout, encoding="utf-8")
    assert read(say, "rules", "diff", edition)["changed"] == []
    known = json.loads(edition.read_text(encoding="utf-8"))
    rules = known["documents"]["requirements/bcm.yaml"]["requirements"]
    next(rule for rule in rules if rule["id"] == "bcm-04.failover")["freshness_days"] = 30
    edition.write_text(json.dumps(known), encoding="utf-8")
    (change,) = read(say, "rules", "diff", edition)["changed"]
    assert (change["id"], change["ours"], change["here"], change["weakened"]) == (
        "bcm-04.failover",
        "30 d",
        "92 d",
        True,
    )
    override(home_now.path, SHORTER, meta=NOW)
    (change,) = read(say, "rules", "diff")["changed"]
    assert (change["here"], change["weakened"]) == ("60 d", False)
    assert say("rules", "diff", home_now.path / "ringfence.json").returncode != 0


def test_a_profile_is_shown_before_it_is_signed(say):
    shown = say("profile", "use", "manufacturing")
    assert shown.returncode != 0  # nobody was asked, and nobody said yes
    assert "AIA-05 turns from upcoming to not satisfied" in shown.stderr
    assert "not enforced yet: " in shown.stderr
    assert "placement.countries" in shown.stderr
    done = say("profile", "use", "manufacturing", "--yes")
    assert done.returncode == 0, done.stderr
    assert "bcm-04.failover: evidence at most 30 d old, until now 92 d" in done.stderr
    assert read(say, "status")["profile"]["id"] == "manufacturing"
    kept = {one["class"]: one for one in read(say, "retention", "list")["classes"]}
    assert (kept["inference-records"]["days"], kept["inference-records"]["set_by"]) == (400, "the profile")
    assert "placement.countries (not enforced)" in say("profile", "compare").stdout


def test_neither_is_stated_by_hand(home_now):
    with home_now.services(None) as services, home_now.http(services) as http:
        for name in ("control.not_applicable", "profile.selected"):
            envelope, _ = signed(services, home_now.people[Role.OWNER], draft(name))
            answer = http.post(
                "/api/v1/statements", json={"envelope": base64.b64encode(envelope.data).decode(), "opening": None}
            )
            assert answer.status_code == 403, answer.text
            assert "by the act that it states" in answer.text


def test_the_rules_that_count_are_compared_with_a_file_or_a_pack(say, home_now, tmp_path):
    override(home_now.path, SHORTER, meta=NOW)
    known = read(say, "rules", "changes")
    assert [(one["counts"], one["ships"]) for one in known["versions"]] == [(True, False), (False, True)]
    ours = [(one["id"], one["here"]) for one in known["comparison"]["changed"]]
    assert ours == [("bcm-04.failover", "60 d")]
    pack = tmp_path / "a.pack"
    assert say("report", "pack", "-o", pack).returncode == 0
    found = read(say, "rules", "changes", pack)["comparison"]
    assert (found["of"], found["changed"], found["states"]) == ("pack", [], [])
    edition = tmp_path / "rules.json"
    edition.write_text(say("rules", "show", "--edition").stdout, encoding="utf-8")
    (change,) = read(say, "rules", "changes", edition, "--as-of", "2026-11-22T12:00:00Z")["comparison"]["changed"]
    assert (change["there"], change["here"], change["looser"]) == ("92 d", "60 d", False)
    forged = json.loads(edition.read_text(encoding="utf-8")) | {"version": read(say, "status")["rules"]}
    edition.write_text(json.dumps(forged), encoding="utf-8")
    refused = say("rules", "changes", edition)
    assert (refused.returncode, "its rules are other ones" in refused.stderr) == (2, True)
