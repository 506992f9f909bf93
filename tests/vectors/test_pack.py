"""The published packs: both verifiers come to the published verdicts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.ledger import trust
from ringfence.reports.verify import verify

DOCS = Path(__file__).parents[2] / "docs"
VECTORS = DOCS / "specs" / "vectors"
SCRIPTS = {"pack": "verify_pack_v1.py", "pack-v2": "verify_pack.py"}
EXPECTED = [
    {**case, "folder": VECTORS / name, "script": DOCS / "auditors" / script}
    for name, script in SCRIPTS.items()
    for case in json.loads((VECTORS / name / "expected.json").read_text(encoding="utf-8"))
]


def named(case):
    return f"{case['folder'].name}/{case['pack']}"


@pytest.mark.parametrize("case", EXPECTED, ids=named)
def test_the_verdict_is_the_published_one(case):
    trusted = trust.parse((case["folder"] / case["trust"]).read_bytes())
    outcome = verify((case["folder"] / case["pack"]).read_bytes(), trusted)
    assert outcome.ok is (case["exit"] == 0), outcome.failures
    if case["record"]:
        assert case["record"] in {failure.record for failure in outcome.failures}


@pytest.mark.parametrize("case", EXPECTED, ids=named)
def test_the_script_comes_to_it_too(case):
    files = [case["folder"] / case["pack"], case["folder"] / case["trust"]]
    command = [sys.executable, case["script"], *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == case["exit"], done.stdout + done.stderr
    if case["record"]:
        assert f"FAILED: record {case['record']} " in done.stdout


@pytest.mark.parametrize("folder", SCRIPTS)
def test_every_pack_is_listed(folder):
    listed = {case["pack"] for case in EXPECTED if case["folder"].name == folder}
    assert {path.name for path in (VECTORS / folder).glob("*.pack")} == listed
