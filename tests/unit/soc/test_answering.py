from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.soc.action import ActionKind, State
from ringfence.soc.policy import Mode, Policy
from ringfence.testing.accesses import KEY as CALLER
from ringfence.testing.soc import ATTACKER, PERSON, TENANT, WatchLab, finding, node

TAKEN = "ssh-guessing-then-success"
ISOLATE, KEY, BLOCK, ALERT = ActionKind


@pytest.fixture
def lab():
    return WatchLab()


def states(lab, reference="f-000000000000000000000001"):
    return {one.act.kind: one.state for one in lab.findings.rulings(TENANT, reference)}


def test_a_break_in_is_cut_off_stated_alerted_and_told(lab):
    lab.see(finding(TAKEN), node())
    assert lab.responder.isolated == [(TENANT, "n-00000001")]
    assert lab.responder.blocked == [(TENANT, ATTACKER, 3600)]
    assert [draft.predicate for draft in lab.recorder.drafts] == ["finding.raised", "response.decided"]
    assert set(states(lab).values()) == {State.DONE}
    assert len(lab.mailbox.rows) == 1
    ((raised, answered),) = lab.observers.heard
    assert raised.finding.rule == TAKEN
    assert raised.statement is not None
    assert answered.response.act(ISOLATE).target == "n-00000001"


def test_guessing_alone_isolates_nobody(lab):
    lab.see(finding(), node())
    assert lab.responder.isolated == []
    assert lab.responder.blocked == [(TENANT, ATTACKER, 3600)]


def test_what_is_wanted_is_written_before_it_is_done(lab):
    seen = []
    lab.responder.before = lambda: seen.append(dict(states(lab)))
    lab.see(finding(TAKEN), node())
    assert seen[0] == {ISOLATE: State.DESIRED, BLOCK: State.DESIRED, ALERT: State.DESIRED}


def test_an_attack_that_goes_on_acts_and_alerts_once(lab):
    for count in range(10):
        lab.see(replace(finding(TAKEN), count=count), node())
    assert len(lab.responder.isolated) == len(lab.responder.blocked) == len(lab.mailbox.rows) == 1
    lab.answers.sweep()
    assert lab.findings.page(TENANT, limit=9)[0].finding.count == 9


def test_within_one_second_nothing_is_decided_twice(lab):
    lab.see(finding(), node())
    before = lab.answers.memory.answered.copy()
    lab.clock.advance(timedelta(seconds=-1))
    lab.see(replace(finding(), count=99), node())
    assert lab.answers.memory.answered == before


def test_a_dry_run_cuts_nobody_off_and_states_the_same_times(lab):
    lab.set(Policy(mode=Mode.DRY_RUN))
    lab.see(finding(TAKEN), node())
    assert lab.responder.isolated == lab.responder.blocked == []
    (claims,) = [draft.claims for draft in lab.recorder.named("response.decided")]
    assert claims["dryRun"]
    assert {"lineReceivedAt", "findingAt", "decidedAt", "actedAt"} <= set(claims)
    assert claims["actions"][0] == {
        "action": "isolate-node",
        "ruling": "would-have",
        "reason": "dry-run",
        "state": "none",
    }


def test_fifty_nodes_attacked_at_once_isolate_the_cap_and_raise_one_storm(lab):
    for number in range(50):
        name = f"n-{number:08x}"
        lab.see(finding(TAKEN, name), node(name), nodes=50)
    assert len(lab.responder.isolated) == 10
    storms = lab.findings.page(TENANT, limit=99, rule="response-storm")
    assert len(storms) == 1
    assert lab.answers.memory.storms[TENANT].count == 40
    assert len([row for row, _ in lab.mailbox.rows.values() if "response-storm" in row.alert.subject]) == 1
    assert len(lab.mailbox.rows) == 11
    waiting = [one for one in lab.findings.ruled.values() if one.state is State.WAITING]
    assert len(waiting) == 40


def test_the_storm_is_the_same_after_a_restart(lab):
    lab.set(Policy(isolations=0, share_percent=0))
    lab.see(finding(TAKEN, "n-1"), node("n-1"))
    lab.restart()
    lab.see(finding(TAKEN, "n-2"), node("n-2"))
    assert len(lab.findings.page(TENANT, limit=9, rule="response-storm")) == 1


def test_a_full_disk_stops_no_cut(lab):
    lab.broken = True
    lab.see(finding(TAKEN), node())
    assert lab.responder.isolated == [(TENANT, "n-00000001")]
    assert [draft.predicate for draft in lab.emergency.drafts] == ["response.decided"]
    assert lab.emergency.drafts[0].details == {}
    assert [delivery.channel for delivery in lab.post.urgent] == ["mail"]
    lab.broken = False
    lab.answers.sweep()
    assert set(states(lab).values()) == {State.DONE}
    assert len(lab.responder.isolated) == 1
    assert {draft.predicate for draft in lab.recorder.drafts} == {"finding.raised", "response.decided"}
    assert len(lab.observers.heard) == 1


def test_guessing_with_a_full_disk_is_journalled_too(lab):
    lab.broken = True
    lab.see(finding(), node())
    assert len(lab.responder.blocked) == len(lab.emergency.drafts) == 1


def test_a_crash_between_decision_and_act_is_made_good_once(lab):
    lab.responder.before = _die
    with pytest.raises(KeyboardInterrupt):
        lab.see(finding(TAKEN), node())
    assert lab.responder.isolated == []
    lab.responder.before = lambda: None
    lab.restart()
    lab.answers.sweep()
    lab.answers.sweep()
    assert lab.responder.isolated == [(TENANT, "n-00000001")]
    assert lab.responder.blocked == [(TENANT, ATTACKER, 3600)]
    assert len(lab.recorder.named("response.decided")) == len(lab.mailbox.rows) == len(lab.observers.heard) == 1


def _die():
    raise KeyboardInterrupt


def test_a_restart_repeats_nothing(lab):
    lab.see(finding(TAKEN), node())
    lab.restart()
    lab.see(finding(TAKEN), node())
    assert len(lab.responder.isolated) == len(lab.responder.blocked) == len(lab.mailbox.rows) == 1


def test_a_cut_that_fails_is_said_tried_again_and_then_left_to_a_person(lab):
    lab.responder.refusing = Unavailable("the helper does not answer")
    lab.see(finding(TAKEN), node())
    assert states(lab)[ISOLATE] is State.FAILED
    ((delivery, _),) = lab.mailbox.rows.values()
    assert "could not be confirmed" in delivery.alert.text
    for _ in range(9):
        lab.answers.sweep()
    assert states(lab)[ISOLATE] is State.WAITING
    lab.responder.refusing = None
    lab.answers.sweep()
    assert lab.responder.isolated == []


def test_a_cut_that_fails_first_is_done_by_the_sweep(lab):
    lab.responder.refusing = Unavailable("the helper does not answer")
    lab.see(finding(TAKEN), node())
    lab.responder.refusing = None
    lab.answers.sweep()
    assert states(lab)[ISOLATE] is State.DONE


def test_observers_that_fail_hear_of_it_later(lab):
    lab.observers.deaf = Unavailable("busy")
    lab.see(finding(TAKEN), node())
    lab.observers.deaf = None
    lab.answers.sweep()
    lab.answers.sweep()
    assert len(lab.observers.heard) == 1


def test_one_tenant_does_not_use_up_the_cap_of_another(lab):
    for number in range(4):
        lab.see(finding(TAKEN, f"n-{number}"), node(f"n-{number}"), tenant="other")
    lab.see(finding(TAKEN), node())
    assert (TENANT, "n-00000001") in lab.responder.isolated


def test_a_finding_of_the_watch_itself_is_alerted_once(lab):
    for _ in range(3):
        lab.answers.raise_own(TENANT, finding("source-silent", source=""), node())
        lab.clock.advance(timedelta(seconds=5))
    assert len(lab.mailbox.rows) == 1


def test_nothing_that_a_stranger_can_hash_back_is_in_an_envelope(lab):
    lab.see(finding(TAKEN), node())
    for draft in lab.recorder.drafts:
        assert ATTACKER not in str(draft.claims)
        assert finding(TAKEN).id not in str(draft)
        assert "0" * 64 not in str(draft.claims)


def test_only_what_failed_is_tried_again(lab):
    lab.responder.block = _refused
    lab.see(finding(TAKEN), node())
    lab.answers.sweep()
    assert states(lab) == {ISOLATE: State.DONE, BLOCK: State.FAILED, ALERT: State.DONE}
    assert len(lab.responder.isolated) == 1


def test_the_sweep_leaves_alone_what_is_under_way(lab):
    later = []
    lab.answers = replace(lab.answers, hands=lambda _node, work: later.append(work))
    lab.see(finding(TAKEN), node())
    lab.answers.sweep()
    assert lab.responder.isolated == []
    later.pop()()
    lab.answers.sweep()
    assert len(lab.responder.isolated) == 1
    assert [draft.predicate for draft in lab.recorder.drafts].count("response.decided") == 1


def test_the_sweep_hands_over_what_it_tries_again(lab):
    lab.responder.refusing = Unavailable("the helper does not answer")
    lab.see(finding(TAKEN), node())
    lab.responder.refusing, later = None, []
    lab.answers = replace(lab.answers, hands=lambda _node, work: later.append(work))
    lab.answers.sweep()
    lab.answers.sweep()
    assert lab.responder.isolated == []
    (work,) = later
    work()
    assert states(lab)[ISOLATE] is State.DONE
    assert lab.answers.memory.busy == []


def test_what_was_under_way_when_the_process_ended_is_finished_by_the_next(lab):
    lab.answers = replace(lab.answers, hands=lambda _node, _work: None)
    lab.see(finding(TAKEN), node())
    lab.restart()
    lab.answers.sweep()
    assert lab.responder.isolated == [(TENANT, "n-00000001")]


def test_what_a_person_settled_while_it_was_under_way_does_not_wait_again(lab):
    later = []
    lab.answers = replace(lab.answers, hands=lambda _node, work: later.append(work))
    lab.see(finding(TAKEN), node(), administrator=True)
    lab.watch.settle(PERSON, "f-000000000000000000000001", "it was a test")
    later.pop()()
    assert states(lab) == {ISOLATE: State.DONE, BLOCK: State.SETTLED, ALERT: State.DONE}


def test_a_count_that_grew_while_an_older_one_was_written_is_written_too(lab):
    lab.broken = True
    lab.see(finding(), node())
    lab.see(replace(finding(), count=99), node())
    lab.broken = False
    lab.answers.sweep()
    assert lab.findings.page(TENANT, limit=9)[0].finding.count == 99


def test_a_past_that_could_not_be_read_at_the_start_is_read_later(lab):
    for number in range(3):
        lab.see(finding(TAKEN, f"n-{number}"), node(f"n-{number}"))
    lab.restart()
    read, lab.findings.past = lab.findings.past, _refused
    lab.answers.raise_own(TENANT, finding("source-silent", source=""), None)
    lab.findings.past = read
    lab.see(finding(TAKEN, "n-9"), node("n-9"))
    assert len(lab.responder.isolated) == 3


def test_a_finding_that_could_not_be_looked_up_is_not_written_twice(lab):
    lab.see(finding(), node())
    lab.restart()
    look, lab.findings.by_key = lab.findings.by_key, _refused
    lab.see(replace(finding(), count=99), node())
    lab.findings.by_key = look
    lab.answers.sweep()
    assert [raised.finding.count for raised in lab.findings.page(TENANT, limit=9)] == [99]


def test_a_database_that_refuses_stops_no_cut_and_loses_no_other_write(lab):
    lab.answers = replace(lab.answers, bounded=_refuse_ours)
    lab.see(finding(TAKEN), node())
    assert lab.responder.isolated == [(TENANT, "n-00000001")]
    waiting = len(lab.answers.memory.unsaved)
    with pytest.raises(InternalError):
        lab.answers.sweep()
    assert len(lab.answers.memory.unsaved) == waiting - 1


def _refuse_ours(_write):
    raise InternalError("the database refused a statement of ours")


def _refused(*_what, **_why):
    raise Unavailable("the helper does not answer")


def test_a_key_is_blocked_stated_and_told_and_no_node_is_touched():
    lab = WatchLab()
    done = lab.see(finding("injection-burst", CALLER, "203.0.113.50"))
    assert lab.responder.keys == [(TENANT, CALLER)]
    assert (lab.responder.isolated, lab.responder.blocked) == ([], [])
    assert done.response.act(KEY).target == CALLER
    (draft,) = lab.recorder.named("response.decided")
    assert draft.claims["actions"][0] == {
        "action": "block-key", "ruling": "take", "reason": "playbook", "state": "done",
    }  # fmt: skip
    assert CALLER not in str(draft.claims), "a key names a caller: it stands beside the statement"
    lab.post.deliver()
    (alert,) = lab.notifiers.channels[0].sent
    assert "the API key was blocked until a person unblocks it" in alert.text
    assert f"About       {CALLER}" in alert.text


def test_a_key_is_blocked_while_the_database_is_away():
    lab = WatchLab()
    lab.broken = True
    lab.see(finding("injection-burst", CALLER, "203.0.113.50"))
    assert lab.responder.keys == [(TENANT, CALLER)]
    assert lab.emergency.named("response.decided")
