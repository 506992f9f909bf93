"""The published packs: both verifiers come to the published verdicts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.ledger import trust
from ringfence.reports.verify import verify

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "specs" / "vectors" / "pack"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["pack"])
def test_the_verdict_is_the_published_one(case):
    trusted = trust.parse((FOLDER / case["trust"]).read_bytes())
    outcome = verify((FOLDER / case["pack"]).read_bytes(), trusted)
    assert outcome.ok is (case["exit"] == 0), outcome.failures
    if case["record"]:
        assert case["record"] in {failure.record for failure in outcome.failures}


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["pack"])
def test_the_script_comes_to_it_too(case):
    command = [sys.executable, DOCS / "auditors" / "verify_pack.py", FOLDER / case["pack"], FOLDER / case["trust"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == case["exit"], done.stdout + done.stderr
    if case["record"]:
        assert f"FAILED: record {case['record']} " in done.stdout


def test_every_pack_is_listed():
    assert {path.name for path in FOLDER.glob("*.pack")} == {case["pack"] for case in EXPECTED}
