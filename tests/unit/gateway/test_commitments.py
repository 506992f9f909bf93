from hashlib import sha256

from ringfence.gateway.commitments import ResponseCommitment, commitment, opening_commitment
from ringfence.testing import receipts


def test_the_commitments_are_those_of_the_specification():
    salt = receipts.salt(1)
    sent = ResponseCommitment(salt)
    sent.event(b"one\n\n")
    sent.event(b"two\n\n")
    first = sha256(b"ringfence-stream-v1\n" + salt).digest()
    assert sent.value == sha256(salt + b"one\n\ntwo\n\n").digest() == commitment(salt, b"one\n\ntwo\n\n")
    assert sent.chain == sha256(sha256(first + b"one\n\n").digest() + b"two\n\n").digest()
    assert sent.events == 2
    assert opening_commitment(salt) == sha256(b"ringfence-opening-v1\n" + salt).digest()


def test_bytes_that_are_no_event_change_the_body_only():
    sent = ResponseCommitment(receipts.salt(1))
    before = sent.chain
    sent.body(b"half an ev")
    assert (sent.chain, sent.events) == (before, 0)
    assert sent.value == commitment(receipts.salt(1), b"half an ev")


def test_events_that_leave_together_count_like_those_that_leave_alone():
    alone, together = ResponseCommitment(receipts.salt(1)), ResponseCommitment(receipts.salt(1))
    for event in receipts.EVENTS:
        alone.event(event)
    together.all_events(receipts.EVENTS)
    assert (alone.value, alone.chain, alone.events) == (together.value, together.chain, together.events)
