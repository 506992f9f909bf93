"""The witness's one act: keep first, cosign then."""

import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.ledger import tree
from ringfence.ledger.anchors.cosignature import verify_cosignatures
from ringfence.ledger.anchors.exchange import Submission, parse_cosignatures
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
