"""The auditors' script says the same of stolen keys as our own verifier."""

import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.ledger import trust
from ringfence.reports.verify import verify
from ringfence.testing.ledger import LabLog

SCRIPT = Path(__file__).parents[2] / "docs" / "auditors" / "verify_pack.py"


def stolen(*, before: bool) -> LabLog:
    """Return a log with one statement of a key that was stolen afterwards; a witness saw it before that, or later."""
    log = LabLog(parties={"auditor": "Auditor GmbH"})
    log.enrol("anna", KeyRole.OPERATOR)
    log.state("dataset.opened", {"purpose": "training"}, by="anna")  # record 5
    log.advance(minutes=10)
    if before:
        log.cosign("auditor")
    since = log.advance(minutes=10)
    log.advance(days=1)
    log.cosign("auditor")
    log.revoke("anna", at=since)
    log.advance(minutes=10)
    return log


@pytest.mark.parametrize("before", [True, False])
def test_both_say_of_which_records_only_the_operator_says_that_they_are_older(tmp_path, before):
    log = stolen(before=before)
    known, pack = log.trust(heads=(), witnesses=log.parties), log.pack()
    (tmp_path / "pack").write_bytes(pack)
    (tmp_path / "trust.json").write_text(trust.to_text(known))
    given = [sys.executable, SCRIPT, tmp_path / "pack", tmp_path / "trust.json"]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    outcome = verify(pack, known)
    assert (done.returncode, outcome.ok) == (0, True), done.stdout
    assert ("that records [5] are older is the operator's word only" in done.stdout) is not before
    assert any("they count for nothing" in notice for notice in outcome.notices) is not before
