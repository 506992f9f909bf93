"""The chain of an answer, read offline; with a real receipt and pack in tests/system/test_lineage.py."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.reports import receipts as checking
from ringfence.reports.behind import behind
from ringfence.reports.model import Header, Verdict, Verification
from ringfence.testing import receipts
from ringfence.testing.clock import START
from ringfence.testing.ledger import LabLog


@pytest.fixture(scope="module")
def made():
    lab = LabLog()
    data = receipts.issued(lab, count=3, index=1).data
    outcome = checking.verify(data, lab.trust())
    assert outcome.ok, outcome.failures
    header = Header(lab.tenant, lab.origin, START, lab.demo, 0, 0, lab.public("root"), lab.log_keys)
    statements = tuple(lab.statements())
    return outcome, Verification(Verdict.VERIFIED, header, 0, 0, None, (), (), None, statements)


def test_what_the_pack_leaves_out_is_a_gap(made):
    outcome, pack = made
    found = behind(outcome, pack)
    assert not found["closed"]
    assert found["answer"]["request"] == outcome.receipt.record.admitted.request
    assert [gap["kind"] for gap in found["gaps"]] == ["deployment-unstated", "no-origin", "unsigned"]


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.VERIFIED])
def test_a_pack_that_does_not_hold_shows_nothing(made, verdict):
    outcome, pack = made
    with pytest.raises(VerificationFailed, match="the pack does not hold"):
        behind(outcome, replace(pack, verdict=verdict))


@pytest.mark.parametrize("change", [{"tenant": Tenant("other")}, {"log": LogOrigin("other.example/log")}])
def test_a_pack_of_somebody_else_shows_nothing(made, change):
    outcome, pack = made
    with pytest.raises(VerificationFailed, match="another tenant or log"):
        behind(outcome, replace(pack, header=replace(pack.header, **change)))
