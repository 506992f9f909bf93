"""Who vouches for the heads of a pack, and what the reader is told of it."""

from datetime import timedelta

import pytest

from ringfence.ledger.model import Anchors
from ringfence.reports.verify import verify

PARTIES = {"tower": "University of Example", "own": "operator"}


@pytest.fixture
def witnessed(log):
    log.cosign("tower")
    log.cosign("own")
    log.advance(minutes=1)
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    return log


def test_a_witnessed_head_is_in_the_pack_although_nobody_exported_it(witnessed):
    outcome = verify(witnessed.pack(), witnessed.trust(witnesses=PARTIES, quorum=1))
    assert outcome.ok
    (head,) = [head for head in outcome.heads if head.judged.cosigned]
    assert (head.size, head.judged.quorum_met) == (7, True)
    assert [(one.party, one.outside) for one in head.judged.cosigned] == [
        ("University of Example", True), ("operator", False)
    ]  # fmt: skip
    assert head.covers_until == witnessed.entries[6][0]
    shown = outcome.to_json()["heads"][-2]
    assert shown["cosigned"][0]["party"] == "University of Example"


def test_cosignatures_of_strangers_are_nobodys_word(witnessed):
    outcome = verify(witnessed.pack(), witnessed.trust())
    assert outcome.ok
    assert not any(head.judged.cosigned for head in outcome.heads)


def test_the_newest_head_that_somebody_else_vouches_for_is_told(witnessed):
    witnessed.cosign("tower")
    witnessed.state("log.heartbeat", {"gaps": 0}, by="control")
    outcome = verify(witnessed.pack(), witnessed.trust(witnesses=PARTIES))
    (said,) = [notice for notice in outcome.notices if "University" in notice]
    assert "the head of size 8" in said
    assert "operator" not in said


def test_a_quorum_counts_parties_and_not_witnesses(witnessed):
    pack = witnessed.pack()
    assert not verify(pack, witnessed.trust(witnesses={**PARTIES, "third": "Other"}, quorum=2)).ok
    assert verify(pack, witnessed.trust(witnesses={"tower": "University of Example", "own": "Other"}, quorum=2)).ok


@pytest.mark.parametrize("anchors", [Anchors(("nonsense",)), Anchors((), (b"no token",)), Anchors(("— a b",) * 65)])
def test_anchors_that_cannot_be_read_are_failures(log, anchors):
    log.said[6] = anchors
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    outcome = verify(log.pack(), log.trust(witnesses=PARTIES))
    assert not outcome.ok
    assert any("head" in failure.reason for failure in outcome.failures)


@pytest.mark.parametrize(("minutes", "holds"), [(9, True), (11, False)])
@pytest.mark.parametrize("party", ["University of Example", "operator"])
def test_what_is_dated_after_it_was_seen_fails_the_pack(log, party, minutes, holds):
    log.cosign("tower", at=log.entries[-1][0] - timedelta(minutes=minutes))
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    outcome = verify(log.pack(), log.trust(witnesses={"tower": party}))
    assert outcome.ok is holds
    assert all(f"{party} saw it at" in str(failure) for failure in outcome.failures)


def test_time_stamps_are_left_out_where_nothing_can_check_them(log):
    log.said[6] = Anchors((), (b"no token",))
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    assert verify(log.pack(), log.trust(), stamps=False).ok
