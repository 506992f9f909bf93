"""What anchors come to: whose word counts, and when a quorum is met."""

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.ledger.anchors.judging import judge_anchors
from ringfence.ledger.model import Anchors, Trust
from ringfence.testing.anchors import cosigned_by, named, witness_keys
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, ed25519, head, log_keys, public

HEAD = head(7, bytes(range(32)))
ONE, TWO = witness_keys("w.example/1", 41), witness_keys("w.example/2", 42)
BOTH = Anchors((*cosigned_by(ONE, HEAD.checkpoint, START), *cosigned_by(TWO, HEAD.checkpoint, START)))


def judged(first: str, second: str, quorum: int, anchors: Anchors = BOTH):
    known = (*named(ONE, first), *named(TWO, second))
    trust = Trust(ORIGIN, public(ed25519(1)), log_keys(), (), known, (), quorum)
    return judge_anchors(HEAD.checkpoint, anchors, trust, HEAD.note)


def test_a_quorum_counts_parties_and_not_keys() -> None:
    assert judged("A", "B", 2).quorum_met
    assert not judged("A", "A", 2).quorum_met
    assert judged("A", "A", 1).quorum_met


def test_the_operator_is_no_party_of_a_quorum() -> None:
    assert not judged("operator", "operator", 1).quorum_met
    assert judged("operator", "operator", 1).outside_since is None
    assert not judged("operator", "B", 2).quorum_met


def test_without_a_quorum_none_is_met() -> None:
    assert not judged("A", "B", 0).quorum_met
    assert judged("A", "B", 0).outside_since == START.replace(microsecond=0)


def test_a_cosignature_of_another_head_is_no_cosignature() -> None:
    other = head(8, bytes(range(32)))
    with pytest.raises(VerificationFailed):
        judged("A", "B", 1, Anchors(cosigned_by(ONE, other.checkpoint, START)))
