import json

import pytest

from ringfence.gateway import receipt
from ringfence.kernel.errors import InternalError, MalformedInput, VerificationFailed
from ringfence.kernel.statement import KeyRole
from ringfence.reports.logpart import log_part, parse_log_part
from ringfence.testing import receipts
from ringfence.testing.ledger import LabLog


@pytest.fixture(scope="module")
def log():
    return LabLog()


@pytest.fixture(scope="module")
def read(log):
    return receipt.parse(receipts.issued(log).data)


def test_the_logs_part_reads_back(log, read):
    part = parse_log_part(read.log, read.envelope)
    assert part.segment.entry == len(log.entries) - 1
    assert part.enrolment.entry == part.segment.entry - 1
    assert part.enrolment.envelope.statement.subjects[0].digest.hex == read.envelope.signer
    assert part.checkpoint.partition("\n\n")[0] == log.head().note.partition("\n\n")[0]


def test_a_key_that_was_never_enrolled_gets_no_receipt():
    log = LabLog()
    logged = log.state("inference.segment", {}, by="stranger")
    with pytest.raises(VerificationFailed, match="never enrolled"):
        log_part(receipts.LogOf(log), log.tenant, logged)


def test_nothing_is_shown_before_it_is_published():
    log = LabLog()
    log.enrol("gateway", KeyRole.GATEWAY)
    logged = log.state("inference.segment", {}, by="gateway")

    class Older(receipts.LogOf):
        def head(self):
            return self.lab.checkpoint(logged.entry)

    with pytest.raises(InternalError, match="before its segment was published"):
        log_part(Older(log), log.tenant, logged)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("more",), 1),
        (("checkpoint",), 3),
        (("segment", "entry"), True),
        (("segment", "more"), 1),
        (("segment", "recordedAt"), "now"),
        (("segment", "proof"), [3]),
        (("segment", "proof"), ["?"]),
        (("segment", "proof"), ["AAAA"] * 64),
        (("enrolment", "envelope"), {}),
        (("enrolment", "envelope"), None),
    ],
)
def test_another_form_is_refused(read, path, value):
    document = json.loads(json.dumps(read.log))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(MalformedInput):
        parse_log_part(document, read.envelope)
