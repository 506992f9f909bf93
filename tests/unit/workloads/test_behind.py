"""What stands behind an answer; whole chains are in tests/system/test_lineage.py."""

from dataclasses import replace

import pytest

from ringfence.gateway.ports import FoundReceipt
from ringfence.kernel.errors import MalformedInput, Unavailable, VerificationFailed
from ringfence.testing import receipts
from ringfence.testing.home import TENANT
from ringfence.testing.ledger import LabLog
from ringfence.workloads.behind import Names


class Held:
    """One receipt, whatever is asked for."""

    def __init__(self, body, retry_after=0):
        self.found = FoundReceipt(body, retry_after)

    def find(self, _tenant, _request):
        return self.found


ASKED = str(receipts.request(1))


def test_an_answer_whose_segment_is_open_is_asked_for_again(services):
    behind = replace(services.behind, receipts=Held(b"", 7))
    with pytest.raises(Unavailable, match="ask again in 7 s"):
        behind(TENANT, ASKED)


def test_a_receipt_of_another_log_leads_nowhere(services):
    behind = replace(services.behind, receipts=Held(receipts.issued(LabLog(), count=2, index=1).data))
    with pytest.raises(VerificationFailed, match="does not hold"):
        behind(TENANT, ASKED)


def test_what_is_no_request_is_not_looked_for(services):
    with pytest.raises(MalformedInput):
        services.behind(TENANT, "../x")


def test_names_are_those_of_datasets_and_models(services):
    assert Names(services.artifacts, services.models)(TENANT) == {}
