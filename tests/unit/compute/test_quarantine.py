from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute import quarantine as rules
from ringfence.compute.model import (
    Containment,
    Isolation,
    NodeState,
    ProbeResult,
    QuarantineKind,
    Release,
    ReleaseState,
)
from ringfence.compute.quarantine import Hold, Known, Wish
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Refused
from ringfence.testing.clock import START
from ringfence.testing.nodes import ANNA, BERT, CARL, TENANT, World
from ringfence.testing.sandboxes import CLOSED, OPEN

WISH = Wish("tried", "f-1")
REQUEST, APPROVAL = Digest.of(b"request"), Digest.of(b"approval")
CUT = Isolation(QuarantineKind.OUTSIDE_GUEST, "ab" * 32, 1500)


@pytest.fixture
def node():
    world = World()
    return world.ready(world.compute())


@pytest.fixture
def held(node):
    return rules.judge(rules.cut(rules.enter(node, None, WISH, START), CUT, START), CLOSED, START)


@pytest.fixture
def asked(held):
    return Release(REQUEST, held.node.id, TENANT, 1, ANNA.id, START, "cleaned", ReleaseState.ASKED)


class TestEnter:
    def test_counts_the_quarantines(self, node):
        hold = rules.enter(replace(node, quarantine=3), None, WISH, START)
        assert (hold.fresh, hold.node.containment, hold.quarantine.number) == (True, Containment.ENTERING, 4)

    def test_takes_the_number_of_a_wish_that_the_row_does_not_know(self, node):
        assert rules.enter(node, None, WISH, START, number=5).quarantine.number == 5

    @pytest.mark.parametrize("containment", [Containment.ENTERING, Containment.QUARANTINED])
    def test_one_that_is_cut_off_stays_in_the_same_quarantine(self, held, containment):
        node = replace(held.node, containment=containment)
        again = rules.enter(node, held.quarantine, Wish("other", "f-2"), START)
        assert not again.fresh
        assert again.quarantine == held.quarantine

    def test_one_that_is_being_released_is_cut_off_anew(self, held):
        again = rules.enter(rules.releasing(held.node), held.quarantine, WISH, START)
        assert again.fresh
        assert again.quarantine.number == 2

    def test_one_that_has_ended_is_not(self, node):
        with pytest.raises(Conflict):
            rules.enter(replace(node, state=NodeState.STOPPED), None, WISH, START)


class TestConfirm:
    def test_every_path_but_the_forensic_one_must_be_closed(self):
        forensic = ProbeResult("forensic", "answers", "blocked", ok=False)
        assert rules.holds((*CLOSED[:2], forensic))
        assert not rules.holds((*CLOSED, OPEN[0]))

    def test_a_path_that_cannot_be_tried_is_neither_open_nor_shown_to_be_closed(self, held):
        lone = ProbeResult("peer-to-node", "blocked", "not-tried: no peer", ok=False)
        assert rules.holds((*CLOSED, lone))
        assert not rules.holds((lone, CLOSED[-1]))
        opened = rules.judge(held, (lone, OPEN[0]), START)
        assert opened.quarantine.because == "open: peer-to-node"

    @pytest.mark.parametrize("probes", [(), (CLOSED[-1],)])
    def test_nothing_tried_shows_nothing(self, probes):
        assert not rules.holds(probes)

    def test_an_open_path_leaves_it_unconfirmed_and_named(self, held):
        opened = rules.judge(held, OPEN, START)
        assert opened.node.containment is Containment.ENTERING
        assert opened.quarantine.confirmed_at is None
        assert "peer-to-node" in opened.quarantine.because

    def test_the_figures_of_the_first_cut_stay(self, held):
        again = rules.cut(held, replace(CUT, micros=9, before="cd" * 32), START + timedelta(seconds=1))
        assert (again.quarantine.micros, again.quarantine.cut_at) == (1500, START)
        assert again.quarantine.before == "cd" * 32  # what the provider will ask for

    def test_confirming_again_keeps_the_first_time(self, held):
        assert rules.judge(held, CLOSED, START + timedelta(hours=1)).quarantine.confirmed_at == START


NONE, ENTERING, QUARANTINED, RELEASING = Containment


@pytest.mark.parametrize(
    ("containment", "quarantine", "intent", "isolated", "hold", "stale"),
    [
        (NONE, 0, 0, False, False, False),
        (NONE, 0, 1, False, True, False),  # the row could not be written
        (NONE, 1, 1, False, False, True),  # the wish could not be forgotten
        (NONE, 1, 1, True, True, True),  # whoever says that it is cut off is believed
        (NONE, 2, 1, False, False, True),
        (NONE, 0, 0, True, True, False),
        (ENTERING, 1, 1, False, True, False),
        (QUARANTINED, 1, 1, True, True, False),
        (QUARANTINED, 1, 0, False, True, False),
        (RELEASING, 1, 1, True, False, False),
        (RELEASING, 1, 2, True, True, False),
    ],
)
def test_who_is_to_be_held(node, containment, quarantine, intent, isolated, hold, stale):
    known = Known(replace(node, containment=containment, quarantine=quarantine), intent, isolated)
    assert rules.must_hold(known) is hold
    assert rules.is_stale(known) is stale


class TestAsk:
    def test_the_same_request_again_is_the_same(self, held, asked):
        assert rules.ask(held.node, asked, None) == asked
        assert rules.ask(held.node, asked, asked) == asked

    @pytest.mark.parametrize("state", [ReleaseState.APPROVED, ReleaseState.RELEASED, ReleaseState.VOID])
    def test_a_used_request_is_refused(self, held, asked, state):
        with pytest.raises(Refused, match="used"):
            rules.ask(held.node, asked, replace(asked, state=state))

    def test_a_request_of_an_earlier_quarantine_is_refused(self, held, asked):
        with pytest.raises(Refused):
            rules.ask(replace(held.node, quarantine=2), asked, asked)

    @pytest.mark.parametrize("containment", [NONE, ENTERING, RELEASING])
    def test_there_is_something_to_release(self, held, asked, containment):
        with pytest.raises(Conflict):
            rules.ask(replace(held.node, containment=containment), asked, None)


def approve(node, asked, *, by=BERT.id, enrolled=(), at=START):
    return rules.approve(node, asked, by=by, approval=APPROVAL, enrolled=frozenset(enrolled), at=at)


class TestApprove:
    def test_another_person_frees_it(self, held, asked):
        done = approve(held.node, asked, at=START + rules.REQUEST_LIFE)
        assert (done.state, done.approved_by, done.approval) == (ReleaseState.APPROVED, BERT.id, str(APPROVAL))

    def test_the_same_person_does_not(self, held, asked):
        with pytest.raises(Refused, match="another one"):
            approve(held.node, asked, by=ANNA.id)

    @pytest.mark.parametrize("enroller", [ANNA.id, BERT.id])
    def test_nor_one_whom_the_other_enrolled(self, held, asked, enroller):
        with pytest.raises(Refused, match="enrolled"):
            approve(held.node, asked, enrolled=[enroller])

    def test_whoever_enrolled_both_is_no_matter(self, held, asked):
        assert approve(held.node, asked, enrolled=[CARL.id])

    def test_a_request_lives_for_a_day(self, held, asked):
        with pytest.raises(Refused, match="24 hours"):
            approve(held.node, asked, at=START + rules.REQUEST_LIFE + timedelta(milliseconds=1))

    @pytest.mark.parametrize("state", [ReleaseState.APPROVED, ReleaseState.RELEASED, ReleaseState.VOID])
    def test_a_used_request_is_refused(self, held, asked, state):
        with pytest.raises(Refused, match="used"):
            approve(held.node, replace(asked, state=state))

    def test_a_request_of_another_node_or_quarantine_is_refused(self, held, asked):
        for wrong in (None, replace(asked, node="n-ffffffff"), replace(asked, quarantine=2)):
            with pytest.raises(Refused):
                approve(held.node, wrong)

    @pytest.mark.parametrize("containment", [NONE, ENTERING, RELEASING])
    def test_only_what_is_quarantined_is_released(self, held, asked, containment):
        with pytest.raises(Refused):
            approve(replace(held.node, containment=containment), asked)


class TestEnd:
    def test_released(self, held, asked):
        node, quarantine, used = rules.released(held, asked, START)
        assert (node.containment, quarantine.released_at, used.state) == (NONE, START, ReleaseState.RELEASED)

    def test_withheld(self, held, asked):
        node, void = rules.withheld(Hold(rules.releasing(held.node), held.quarantine, fresh=False), asked, "changed")
        assert (node.containment, void.state, void.because) == (QUARANTINED, ReleaseState.VOID, "changed")

    def test_voided(self, asked):
        assert rules.voided(asked).state is ReleaseState.VOID
