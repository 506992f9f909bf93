"""`ringfence dataset check`, as a person and a CI job use it: plain folders need no home, sealed datasets one."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import yaml

from ringfence.artifacts.checks.cli import JOBS
from ringfence.testing.program import called
from ringfence.testing.training import as_csv, as_jsonl, flipped, texts

POLICY = """
version: 1
columns: {label: label}
checks:
  label-noise: {level: fail, share: 0.05}
  drift: {level: warn}
  triggers: off
"""


class Shell:
    def __init__(self, folder, home):
        self.folder = folder
        self.environment = os.environ | {"RINGFENCE_HOME": str(home)}

    def __call__(self, *arguments, code=0):
        done = called(self.environment, *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("data")
    rows = texts(500, 1, signal=0.2)
    (made / "good").mkdir()
    (made / "good" / "train.csv").write_bytes(as_csv(rows[:400]))
    (made / "good" / "test.jsonl").write_bytes(as_jsonl(rows[400:]))
    flipped(rows, 0.15, 1)
    (made / "bad").mkdir()
    (made / "bad" / "train.csv").write_bytes(as_csv(rows[:400]))
    (made / "bad" / "test.jsonl").write_bytes(as_jsonl(rows[300:]))
    (made / "policy.yaml").write_text(POLICY)
    return made


@pytest.fixture(scope="module")
def bare(folder):
    return Shell(folder, folder / "no-home")


def by_check(document):
    return {one["check"]: one["outcome"] for one in document["checks"]}


def test_a_plain_folder_needs_no_home_and_passes_or_not(bare):
    folder = bare.folder
    good = bare("dataset", "check", folder / "good", "--policy", folder / "policy.yaml", "--json")
    assert good["result"] == "pass"
    assert by_check(good)["drift"] == "not-run"
    assert good["warned"] == ["signature", "schema", "drift", "outliers"]
    assert by_check(good)["triggers"] == "off"
    shown = bare("dataset", "check", folder / "bad", "--policy", folder / "policy.yaml", code=1)
    assert "does not pass" in shown
    assert "leakage        failed, fails the gate" in shown
    assert "does not show that there is nothing" in shown
    assert not (folder / "no-home").exists()


def test_reports_and_a_baseline_are_written_also_where_the_gate_stays_shut(bare, tmp_path):
    folder = bare.folder
    options = [f"--{kind}={tmp_path / kind}" for kind in ("sarif", "junit", "report", "baseline")]
    document = bare("dataset", "check", folder / "bad", "--label", "label", *options, "--json", code=1)
    sarif = json.loads((tmp_path / "sarif").read_bytes())
    assert {one["ruleId"] for one in sarif["runs"][0]["results"]} >= {"leakage", "label-noise"}
    suite = ET.parse(tmp_path / "junit").getroot()  # noqa: S314 - our own file
    assert int(suite.get("failures")) == len(document["failed"]) >= 2
    assert json.loads((tmp_path / "report").read_bytes()) == document
    again = bare(
        "dataset", "check", folder / "good", "--against", tmp_path / "baseline", "--split", "a=train*", "--json"
    )
    assert by_check(again)["drift"] == "passed"
    assert by_check(again)["leakage"] == "passed"


def test_a_policy_that_demands_what_was_not_given_is_not_met(bare, tmp_path):
    (tmp_path / "strict.yaml").write_text("checks: {signature: fail}")
    document = bare("dataset", "check", bare.folder / "good", "--policy", tmp_path / "strict.yaml", "--json", code=1)
    assert document["failed"] == ["signature"]


def test_mistakes_end_with_code_2_and_one_sentence(bare, tmp_path):
    (tmp_path / "bad.yaml").write_text("checks: {drift: {psii: 1}}")
    for arguments in (
        (),
        (bare.folder / "nothing.csv",),
        (bare.folder / "good", "--label", "no such column"),
        (bare.folder / "good", "--policy", tmp_path / "bad.yaml"),
        (bare.folder / "good", "--schema", tmp_path / "bad.yaml"),
        (bare.folder / "good", "--split", "train"),
        (bare.folder / "good", "--against", bare.folder / "policy.yaml"),
        (bare.folder / "good", "--record"),
        ("--print-job", "other"),
    ):
        assert bare("dataset", "check", *arguments, code=2).startswith("ringfence: ")


def test_hostile_files_are_findings_and_never_a_traceback(bare, tmp_path):
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "a.csv").write_bytes(b'a,b\n"' + b"x" * 500_000)
    (hostile / "b.jsonl").write_bytes(b"[" * 1_000_000)
    (hostile / "c.csv").write_bytes(b"=cmd|' /C calc'!A0,\x1b[31mred\n+1,\xe2\x80\xae-2\n")
    (hostile / "d.parquet").write_bytes(b"PAR1" + b"\xff" * 100 + b"PAR1")
    (hostile / "e.csv").write_bytes(b"\xff\xfea\0,\0b\0")
    (hostile / "f.zip").write_bytes(b"PK\x03\x04")
    shown = bare("dataset", "check", hostile, f"--sarif={tmp_path / 's'}", f"--junit={tmp_path / 'j'}", code=1)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    for text in ((tmp_path / "s").read_text(), (tmp_path / "j").read_text()):
        assert "\x1b" not in text
    messages = [one["message"]["text"] for one in json.loads((tmp_path / "s").read_bytes())["runs"][0]["results"]]
    assert all(message[0].isalpha() for message in messages)  # nothing that a spreadsheet takes for a formula


@pytest.mark.parametrize("job", JOBS)
def test_a_ready_job_is_one_and_its_line_runs(bare, job, tmp_path):
    document = yaml.safe_load(bare("dataset", "check", "--print-job", job))
    steps = document["dataset-check"] if job == "gitlab" else document["jobs"]["check"]
    lines = steps["script"] if job == "gitlab" else [step.get("run", "") for step in steps["steps"]]
    (line,) = [line for line in lines if line.startswith("ringfence ")]
    if job == "github":
        assert document["permissions"] == {"contents": "read", "security-events": "write"}
        uploads = [step for step in steps["steps"] if "upload" in step.get("uses", "")]
        assert all(step["if"] == "always()" for step in uploads)
        assert uploads[-1]["with"]["sarif_file"] == "dataset.sarif"
    (tmp_path / "DATA").mkdir()
    (tmp_path / "DATA" / "train.csv").write_bytes((bare.folder / "good" / "train.csv").read_bytes())
    (tmp_path / "dataset-policy.yaml").write_text(POLICY)
    bare("dataset", "check", tmp_path / "DATA", f"--baseline={tmp_path / 'baseline.json'}")
    program = "import sys; from ringfence.main import run; sys.argv[0] = 'ringfence'; run()"
    shell = f'ringfence() {{ "$PYTHON" -c "{program}" "$@"; }}; {line}'
    environment = bare.environment | {"PYTHON": sys.executable}
    done = subprocess.run(["bash", "-euc", shell], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("dataset.*")} == {"dataset.sarif", "dataset.xml", "dataset.json"}


def test_a_sealed_dataset_is_opened_by_the_recorded_way_and_stated_about(folder, tmp_path):
    shell = Shell(folder, tmp_path / "home")
    shell("init")
    shell("dataset", "seal", folder / "good", "claims")
    document = shell("dataset", "check", "claims", "--label", "label", "--record", "--json")
    assert by_check(document)["signature"] == "passed"
    assert document["statement"]["stage"] == "published"
    shell("dataset", "seal", folder / "bad", "claims")
    worse = shell("dataset", "check", "claims", "--against", "claims@1", "--record", "--json", code=1)
    assert "statement" in worse
    assert by_check(worse)["drift"] == "passed"
    assert worse["content"] != document["content"]
    assert shell("dataset", "check", "unknown", code=2).startswith("ringfence: ")
