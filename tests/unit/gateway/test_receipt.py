from dataclasses import replace

import pytest

from ringfence.gateway import receipt, segment
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength
from ringfence.testing import receipts
from ringfence.testing.ledger import LabLog


@pytest.fixture(scope="module")
def log():
    return LabLog()


@pytest.fixture(scope="module")
def made(log):
    return receipts.issued(log)


def test_a_receipt_reads_back_and_its_record_is_in_its_segment(log, made):
    read = receipt.parse(made.data)
    assert read.record.admitted.request == made.record.admitted.request
    assert read.record.finished == made.record.finished
    assert receipt.check_record(read, log.public("gateway")).claims() == made.closing.claims()


def test_another_key_did_not_sign_it(log, made):
    with pytest.raises(VerificationFailed, match="signed by key"):
        receipt.check_record(receipt.parse(made.data), log.public("ops"))


def test_a_salt_that_is_not_the_records_own_is_refused(log, made):
    other = receipt.parse(receipts.changed(made.data, ("opening", "salt"), "A" * 43 + "="))
    with pytest.raises(VerificationFailed, match="salt"):
        receipt.check_record(other, log.public("gateway"))


def test_a_record_of_another_tenant_than_its_segment_is_refused():
    log = LabLog(tenant=Tenant("other"))
    read = receipt.parse(receipts.issued(log).data)
    with pytest.raises(VerificationFailed, match="another tenant"):
        receipt.check_record(read, log.public("gateway"))


def test_a_record_beyond_the_admissions_of_its_segment_is_refused():
    log, record = LabLog(), replace(receipts.record(), number=9)
    (leaf,), closing = receipts.closing_of([record])
    claims = replace(closing, admitted=8).claims()
    envelope, _ = log.sign(
        segment.SEGMENT,
        claims,
        by="gateway",
        subjects=(segment.subject(closing),),
        strength=Strength.OBSERVED,
        idempotency_key=segment.idempotency_key(1),
    )
    read = receipt.parse(receipt.build(leaf, receipts.salt(1), envelope, 0, (), b"{}"))
    with pytest.raises(VerificationFailed, match="higher number"):
        receipt.check_record(read, log.public("gateway"))


def test_a_changed_record_is_not_in_the_segment(log, made):
    other = receipt.parse(receipts.changed(made.data, ("record", "finished", "status"), 500))
    with pytest.raises(VerificationFailed, match="not in the segment"):
        receipt.check_record(other, log.public("gateway"))


def test_request_and_response_are_compared_byte_for_byte(made):
    record = receipt.parse(made.data).record
    assert "byte for byte" in receipt.check_request(record, receipts.asked(2))
    assert "byte for byte" in receipt.check_response(record, b"".join(receipts.EVENTS))
    with pytest.raises(VerificationFailed, match="request"):
        receipt.check_request(record, receipts.asked(3))
    with pytest.raises(VerificationFailed, match="events"):
        receipt.check_response(record, b"data: other\n\n" * 2)


def test_of_a_stream_whole_events_are_compared_where_it_broke_off(made):
    record = receipt.parse(made.data).record
    assert "first 2 events" in receipt.check_response(record, b"".join(receipts.EVENTS) + b"data: half an ev")
    with pytest.raises(VerificationFailed, match="hold 1 whole ones"):
        receipt.check_response(record, receipts.EVENTS[0])


def test_after_the_opening_was_erased_nothing_is_compared_and_the_rest_holds(log, made):
    erased = receipt.parse(receipts.changed(made.data, ("opening",), None))
    assert receipt.check_record(erased, log.public("gateway")).root == made.closing.root
    for check in (receipt.check_request, receipt.check_response):
        with pytest.raises(VerificationFailed, match="erased"):
            check(erased.record, b"")


def test_what_a_dead_gateway_had_sent_is_unknown():
    document = receipts.record()
    unknown = replace(document, finished=receipts.finished(response_commitment=b"", chain=b"", events=0))
    with pytest.raises(VerificationFailed, match="died"):
        receipt.check_response(unknown, b"")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "urn:ringfence:receipt:v2"),
        (("more",), 1),
        (("opening",), {"salt": "AA=="}),
        (("opening",), {"salt": "A" * 43 + "=", "more": 1}),
        (("opening",), {"salt": 3}),
        (("segment", "index"), True),
        (("segment", "index"), "1"),
        (("segment", "path"), ["A" * 43 + "="] * 15),
        (("segment", "path"), ["AA=="]),
        (("segment", "path"), ["A" * 42 + "B="]),
        (("segment", "more"), 1),
        (("segment", "envelope"), {}),
        (("record",), {}),
        (("log",), []),
    ],
)
def test_what_is_no_receipt_is_refused_with_its_source(made, path, value):
    with pytest.raises(MalformedInput, match=r"^a file: "):
        receipt.parse(receipts.changed(made.data, path, value), source="a file")


def test_a_receipt_is_told_from_a_pack(log, made):
    assert receipt.is_receipt(made.data)
    assert not receipt.is_receipt(log.pack())
