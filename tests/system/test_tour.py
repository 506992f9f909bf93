"""The tour as a newcomer runs it: twice in a row, in one home, headless."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import components

NAMES = ["seal", "scope", "place", "train", "serve", "probe", "attack", "status", "prove"]
pytestmark = pytest.mark.timeout(900)  # two whole tours are the first test's set-up
PLAYED = components.present("bwrap") and components.present("nft") and components.present("sshd")


def ringfence(home, *arguments):
    command = [sys.executable, "-m", "ringfence", *arguments]
    environment = {"RINGFENCE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400, check=False)


# A network of its own with a way out that leads back to itself: whatever is sent to anywhere else is counted.
ALONE = """
import json, os, socket, subprocess, sys
ip, nft = sys.argv[1:3]
def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
for words in ("link set lo up", "route add default dev lo", "-6 route add default dev lo"):
    run(ip, *words.split())
run(nft, "add table inet watch")
run(nft, "add chain inet watch out { type filter hook output priority 0 ; }")
for rule in ("ip daddr 127.0.0.0/8 accept", "ip6 daddr ::1 accept", "counter"):
    run(nft, "add rule inet watch out " + rule)
def counted():
    found = json.loads(run(nft, "-j", "list", "table", "inet", "watch"))["nftables"]
    parts = [part for one in found for part in one.get("rule", {}).get("expr", ())]
    return sum(part["counter"]["packets"] for part in parts if "counter" in part)
done = subprocess.run(sys.argv[3:], capture_output=True, text=True, timeout=400)
left = counted()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    probe.sendto(b"?", ("192.0.2.1", 53))
said = {"code": done.returncode, "out": done.stdout, "err": done.stderr}
print(json.dumps(said | {"left": left, "probe": counted() - left}))
"""


def alone(home, *arguments):
    """Run a command without any network but its own loopback; say how many packets wanted to leave it."""
    found = {name: components.find(name) for name in ("unshare", "ip", "nft")}
    command = [
        found["unshare"].path,
        "--net",
        "--",
        sys.executable,
        "-I",
        "-c",
        ALONE,
        found["ip"].path,
        found["nft"].path,
    ]
    environment = {"RINGFENCE_HOME": str(home), "PATH": "/usr/bin:/bin", **found["nft"].environment}
    whole = [*map(str, command), sys.executable, "-m", "ringfence", *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, env=environment, timeout=420, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return subprocess.CompletedProcess(whole, said["code"], said["out"], said["err"]), said


ROOT = os.geteuid() == 0 and PLAYED and components.present("ip")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The tour twice in one home, the second time without a network where that can be made."""
    home = tmp_path_factory.mktemp("tour") / "home"
    first = ringfence(home, "tour", "--headless", "--json")
    again = alone if ROOT else lambda *words: (ringfence(*words), None)
    second, said = again(home, "tour", "--headless", "--json")
    return home, [first, second], said


@pytest.fixture
def tours(played):
    return played[:2]


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
    assert steps["status"]["counts"]["denominator"] == 15
    # keys in the plain; a model that somebody else trained; and a probe that was too small to pass
    assert set(steps["status"]["not_satisfied"]) - {"MOD-02", "TST-03"} == {"SEC-04"}
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
        assert steps["status"]["facts"]["not_satisfied"].keys() == {"SEC-04", "MOD-02", "TST-03"}
        stated = {entry["statement"] for name in ("train", "serve", "probe") for entry in steps[name]["entries"]}
        wanted = {"run.manifest", "deployment.started", "inference.segment", "redteam.run"}
        # the second tour signs the same bytes again, and what was stated is not stated twice
        assert wanted | ({"model.signed"} if run is runs[0] else set()) <= stated


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


def test_demo_statements_are_marked_for_ever(tours):
    home, _ = tours
    listed = json.loads(ringfence(home, "ledger", "list", "--json", "--limit", "500").stdout)["statements"]
    assert listed
    assert all(statement["demo"] for statement in listed)


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
