"""The tour as a newcomer runs it: twice in a row, in one home, headless."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import components
from ringfence.testing import measured
from ringfence.testing.alone import alone, missing

NAMES = ["seal", "scope", "place", "release", "train", "serve", "probe", "attack", "status", "prove"]
NODES_SHOW = {"MOD-02", "TST-03"}  # a model that somebody else trained, a probe that was too small to pass
# where the collectors of `up` had their first turn, ten minutes after its start: no backup, half of what else is asked
COLLECTORS_SHOW = {"BCM-02", "LOG-01", "SEC-03"}
HOST_SHOWS = {"SEC-01", "LOG-05"}  # red where the host's disk lies open, or where its clock follows no source
pytestmark = pytest.mark.timeout(1900)  # two whole tours are the first test's set-up
PLAYED = components.present("bwrap") and components.present("nft") and components.present("sshd")


NOT_MEASURED = measured.machine_missing()


def ringfence(home, *arguments, prefix=()):
    command = [*prefix, sys.executable, "-m", "ringfence", *arguments]
    environment = {"RINGFENCE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)


ROOT = PLAYED and not missing()


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The tour twice in one home, the second time without a network where that can be made."""
    home = tmp_path_factory.mktemp("tour") / "home"
    first = ringfence(home, "tour", "--headless", "--json")
    if not ROOT:
        return home, [first, ringfence(home, "tour", "--headless", "--json")], None
    with alone() as network:
        second = ringfence(home, "tour", "--headless", "--json", prefix=network.prefix)
        return home, [first, second], {"left": network.left(), "probe": network.probed()}


@pytest.fixture
def tours(played):
    return played[:2]


@pytest.fixture(scope="module")
def log(played):
    """What both tours left in the log: entry -> statement."""
    listed = json.loads(ringfence(played[0], "ledger", "list", "--json", "--limit", "500").stdout)
    return {statement["entry"]: statement for statement in listed["statements"]}


@pytest.mark.skipif(not ROOT, reason="a network of its own takes root, nft and ip")
def test_the_tour_needs_no_network_and_asks_for_none(played):
    _, runs, said = played
    assert runs[1].returncode == 0, runs[1].stderr
    assert said["probe"] == 1, "what is sent elsewhere is counted"
    assert said["left"] == 0


@pytest.mark.parametrize("time", [0, 1])
def test_the_tour_succeeds_twice_in_a_row(tours, time):
    _, runs = tours
    assert runs[time].returncode == 0, runs[time].stderr
    document = json.loads(runs[time].stdout)
    assert document["ok"] is True
    assert [step["name"] for step in document["steps"]] == NAMES
    for step in document["steps"]:
        assert step.keys() == {"name", "ok", "seconds", "entries", "facts"}
        assert step["ok"] is True
        assert step["seconds"] >= 0
        assert step["entries"] or not (PLAYED or step["name"] in NAMES[:2]), f"{step['name']} recorded nothing"


def test_the_entries_of_the_second_tour_follow_those_of_the_first(tours):
    _, runs = tours
    first, second = (json.loads(run.stdout)["steps"] for run in runs)
    assert min(entry["entry"] for step in second for entry in step["entries"]) > max(
        entry["entry"] for step in first for entry in step["entries"]
    )


def test_the_facts_are_those_that_the_issue_asks_for(tours):
    _, runs = tours
    steps = {step["name"]: step["facts"] for step in json.loads(runs[0].stdout)["steps"]}
    assert steps["seal"]["rows"] == 569
    assert steps["seal"]["opened_equals_source"] is True
    assert "chunk 1" in steps["seal"]["flipped_bit_refused"]
    assert [failure["chunk"] for failure in steps["seal"]["verify_named"]] == [1]
    assert steps["seal"]["restored"] == "pass"
    assert steps["scope"]["category"] == "important"
    assert steps["scope"]["provision"].startswith("NIS2 3(2)")
    assert steps["scope"]["binds_2690"] is True
    assert steps["scope"]["high_risk_from"] == ["2027-12-02"]
    counts, told = (steps["status"][name] for name in ("counts", "controls"))
    assert sum(count for name, count in counts.items() if name != "denominator") == 109
    assert counts["satisfied"] == sum(control["state"] == "satisfied" for control in told.values())
    assert counts["pending"] == sum(control["state"] == "pending" for control in told.values())
    bare = int(steps["status"]["without any evidence"].partition(" ")[0])
    assert bare == counts["not-satisfied"] - len(steps["status"]["not_satisfied"])
    assert bare + len(told) == counts["denominator"]
    # keys in the plain, and what is half shown: the other half was never recorded
    always = {"SEC-04", "DAT-05", "INC-05"}
    assert always <= steps["status"]["not_satisfied"].keys() <= always | NODES_SHOW | COLLECTORS_SHOW | HOST_SHOWS
    assert {"GOV-01", "DAT-01", "DAT-02", "IAM-01", "LOG-06"} <= told.keys() - steps["status"]["not_satisfied"].keys()
    assert "unprotected" in steps["status"]["not_satisfied"]["SEC-04"]
    assert set(steps["prove"]["cheats"]) == {
        "byte flipped",
        "tail cut",
        "log rebuilt",
        "subjects swapped",
        "back-dated",
    }
    assert "dataset.sealed" in steps["prove"]["cheats"]["byte flipped"]
    assert "shorter than the head" in steps["prove"]["cheats"]["tail cut"]
    assert "back-dated" in steps["prove"]["cheats"]["back-dated"]


@pytest.mark.skipif(not PLAYED, reason="no namespace node can run here: bubblewrap, nft or sshd is missing")
def test_a_model_is_trained_served_and_probed(tours):
    _, runs = tours
    for run in runs:
        steps = {step["name"]: step for step in json.loads(run.stdout)["steps"]}
        trained, served, probed = (steps[name]["facts"] for name in ("train", "serve", "probe"))
        assert trained["accuracy"].endswith(" of 143 rows that it had not seen")
        assert trained["in_memory"] == "node-memory"
        assert trained["signed"] == trained["outputs_digest"]
        assert served["own model"]["digest"].startswith(f"{trained['signed']}, loaded")
        assert served["own model"]["inferred"].startswith("30 inputs, outputs ")
        assert "loaded" in served["language model"]["digest"]
        assert served["plain"].startswith("'The capital of France is' … ")
        assert served["receipt"]["verified"] == "verified"
        assert "does not lead to the signed root" in served["receipt"]["one byte changed"]
        assert "does not hold the bytes that were signed" in served["one byte of the model changed"]
        assert probed["vulnerable"]["verdict"] == "fail"
        assert probed["hardened"]["verdict"] == "pass"
        assert probed["endpoint"]["verdict"] in {"fail", "inconclusive"}, "20 attempts on a base model prove nothing"
        assert probed["endpoint"]["model_digest"] == served["language model"]["digest"].partition(",")[0]
        red = steps["status"]["facts"]["not_satisfied"].keys()
        assert red - HOST_SHOWS - COLLECTORS_SHOW == NODES_SHOW | {"SEC-04", "DAT-05", "INC-05"}
        stated = {entry["statement"] for name in ("train", "serve", "probe") for entry in steps[name]["entries"]}
        wanted = {"run.manifest", "deployment.started", "inference.segment", "redteam.run"}
        # the second tour signs the same bytes again, and what was stated is not stated twice
        assert wanted | ({"model.signed"} if run is runs[0] else set()) <= stated


@pytest.mark.skipif(not PLAYED, reason="no namespace node can run here: bubblewrap, nft or sshd is missing")
def test_a_key_is_refused_to_a_node_that_shows_nothing(tours, log):
    _, runs = tours
    for run in runs:
        step = released(run)
        (denied,) = [entry["entry"] for entry in step["entries"] if entry["statement"] == "key.denied"]
        assert step["facts"]["namespace"].startswith(f"refused, entry {denied}: ")
        assert "the node gives no evidence of what it runs" in step["facts"]["namespace"]
        claims = log[denied]["claims"]
        assert (claims["class"], claims["because"], claims["evidence"]) == ("namespace", ["no-evidence"], "none")


@pytest.mark.skipif(bool(NOT_MEASURED), reason=NOT_MEASURED)
@pytest.mark.skipif(not PLAYED, reason="no namespace node can run here: bubblewrap, nft or sshd is missing")
def test_the_key_goes_to_the_measured_machine_and_is_marked_as_the_labs(tours, log):
    _, runs = tours
    for run in runs:
        step = released(run)
        facts, at = step["facts"], {entry["statement"]: entry["entry"] for entry in step["entries"]}
        assert facts["measured machine"].endswith("; the key was released to it and opened wdbc.csv there")
        assert facts["strength"].startswith("lab-attested: ")
        assert facts["lease"].endswith(" ended by hand: ended-by-person")
        assert at["key.denied"] < at["node.appraised"] < at["key.released"] < at["lease.ended"]
        appraised, given, ended = (log[at[name]] for name in ("node.appraised", "key.released", "lease.ended"))
        assert appraised["strength"] == given["strength"] == "lab-attested"
        assert (appraised["claims"]["acceptable"], appraised["claims"]["softwareTpm"]) == (True, True)
        assert {appraised["claims"]["claims"][name] for name in ("boot", "runtime", "signature")} == {"affirming"}
        assert (given["claims"]["class"], given["claims"]["family"]) == ("measured-vm", "tpm2")
        assert given["claims"]["evidence"] == appraised["claims"]["evidence"]
        assert facts["lease"].startswith(f"{given['claims']['lease']}, until ")
        assert (ended["claims"]["lease"], ended["claims"]["dropped"]) == (given["claims"]["lease"], True)


def released(run):
    """Return the step about keys."""
    return {step["name"]: step for step in json.loads(run.stdout)["steps"]}["release"]


@pytest.mark.skipif(not PLAYED, reason="no namespace node can run here: bubblewrap, nft or sshd is missing")
def test_the_attack_is_cut_off_and_decided_by_people(tours):
    _, runs = tours
    for run in runs:
        steps = {step["name"]: step for step in json.loads(run.stdout)["steps"]}
        assert "shared-kernel" in steps["place"]["facts"]["namespace"]
        facts = steps["attack"]["facts"]
        assert "the source was blocked" in facts["guessing"]
        assert "no clock runs" in facts["guessing"]
        assert "peer-to-node blocked" in facts["cut off"]["probes"]
        assert "forensic answers" in facts["cut off"]["probes"]
        assert facts["neighbour"].endswith(" 0 packets dropped")
        assert {"3(1)(b)", "3(1)(e)"} <= set(facts["proposed"].split(", "))
        assert facts["clocks"]["23(4)(a)"].startswith("pending, due 20")
        assert facts["clocks"]["contract clause hospital-group"].startswith("pending, due 20")
        assert "approved by another" in facts["release"]
        assert "quarantine.confirmed" in facts["with the disk full"]["afterwards"]
        stated = {entry["statement"] for entry in steps["attack"]["entries"]}
        assert {"finding.raised", "quarantine.confirmed", "incident.triage", "quarantine.released"} <= stated


def test_the_tour_leaves_no_process_behind(tours):
    home, _ = tours
    names = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [name for name in names if str(home).encode() in name]


def test_demo_statements_are_marked_for_ever(log):
    assert log
    assert all(statement["demo"] for statement in log.values())


def test_a_failed_step_ends_the_tour_with_exit_1(tours):
    home, _ = tours
    organisation = home / "tour" / "organisation.yaml"
    organisation.unlink()
    organisation.mkdir()  # the scope step cannot write its file
    try:
        ended = ringfence(home, "tour", "--headless", "--json")
    finally:
        organisation.rmdir()
    assert ended.returncode == 1
    document = json.loads(ended.stdout)
    assert document["ok"] is False
    assert [step["name"] for step in document["steps"]] == NAMES[:2]
    assert document["steps"][-1]["facts"]["error"]
    assert "Traceback" not in ended.stderr
