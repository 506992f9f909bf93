"""The witness's one act: keep first, cosign then."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.ledger import tree
from ringfence.ledger.anchors.cosignature import verify_cosignatures
from ringfence.ledger.anchors.exchange import Submission, parse_cosignatures
from ringfence.ledger.witness.deciding import known_logs
from ringfence.testing.anchors import MemoryHeads, named, witness_keys, witnessing
from ringfence.testing.clock import FakeClock
from ringfence.testing.keys import head, log_keys

LEAF = tree.leaf_hash(b"one")
HEAD = head(1, LEAF)
BODY = str(Submission(0, (), HEAD.note)).encode()


def test_a_head_is_kept_and_cosigned_with_both_keys() -> None:
    witness = witnessing(log_keys(), FakeClock())
    answer = witness.add_checkpoint(BODY)
    assert answer.status == 200
    assert len(verify_cosignatures(HEAD.checkpoint, parse_cosignatures(answer.text), named(witness_keys()))) == 2
    assert f"log {HEAD.checkpoint.origin} 1\n" in witness.introduction()
    again = witness.add_checkpoint(str(Submission(1, (), HEAD.note)).encode())
    assert again.status == 200


def test_what_cannot_be_kept_is_not_cosigned() -> None:
    witness = witnessing(log_keys(), FakeClock())
    assert isinstance(witness.heads, MemoryHeads)
    witness.heads.full = True
    with pytest.raises(Unavailable):
        witness.add_checkpoint(BODY)


@pytest.mark.parametrize("body", [b"", b"old 0\n\nx\n", b"\xff", BODY.replace(b"old 0", b"old 00")])
def test_what_does_not_parse_is_a_bad_request(body: bytes) -> None:
    assert witnessing(log_keys(), FakeClock()).add_checkpoint(body).status == 400


def test_a_log_with_new_keys_has_to_continue_what_was_seen_under_the_old_ones() -> None:
    two = tree.leaf_hash(b"two")
    root = tree.node_hash(LEAF, two)
    before = witnessing(log_keys(), FakeClock())
    assert before.add_checkpoint(BODY).status == 200
    after = replace(before, logs=known_logs(log_keys(seed=2)))
    assert after.add_checkpoint(str(Submission(0, (), head(2, root, seed=2).note)).encode()).status == 409
    assert after.add_checkpoint(str(Submission(1, (two,), head(2, root).note)).encode()).status == 403
    fork = head(2, tree.node_hash(two, LEAF), seed=2)
    assert after.add_checkpoint(str(Submission(1, (two,), fork.note)).encode()).status == 422
    assert after.add_checkpoint(str(Submission(1, (), head(1, two, seed=2).note)).encode()).status == 409
    assert after.add_checkpoint(str(Submission(1, (two,), head(2, root, seed=2).note)).encode()).status == 200


def test_old_and_new_keys_of_one_log_are_not_watched_together() -> None:
    with pytest.raises(MalformedInput, match="name the new ones alone"):
        known_logs((*log_keys(), *log_keys(seed=2)))
