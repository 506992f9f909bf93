from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.errors import Conflict, NotFound, Unavailable
from ringfence.kernel.statement import Strength
from ringfence.soc.action import Reason, State
from ringfence.soc.policy import Mode, Policy
from ringfence.testing.soc import PERSON, TENANT, WatchLab, finding, node

TAKEN = "ssh-guessing-then-success"


@pytest.fixture
def lab():
    return WatchLab()


def test_a_change_of_the_settings_is_stated_and_alerted(lab):
    done = lab.watch.change(PERSON, 0, Policy(mode=Mode.DRY_RUN, never_block=("198.51.100.9/32",)))
    assert done.stage.value == "published"
    (draft,) = lab.recorder.named("detection.changed")
    assert draft.claims["changed"] == ["mode", "never_block"]
    assert draft.claims["by"] == PERSON.id
    assert "198.51.100.9" not in str(draft.claims)
    assert draft.details["after"]["mode"] == "dry-run"
    ((delivery, _),) = lab.mailbox.rows.values()
    assert delivery.alert.about == "detection-1"


def test_a_change_from_an_old_version_is_refused(lab):
    lab.watch.change(PERSON, 0, Policy(blocks=5))
    with pytest.raises(Conflict):
        lab.watch.change(PERSON, 0, Policy(blocks=6))
    assert lab.watch.settings(TENANT) == (1, Policy(blocks=5))


def test_a_change_that_changes_nothing_is_none(lab):
    assert lab.watch.change(PERSON, 0, Policy()) is None
    assert lab.recorder.drafts == []


def test_what_a_file_says_is_recorded_and_acts_on_nothing(lab):
    raised = lab.watch.declare(TENANT, finding(TAKEN))
    lab.answers.sweep()
    assert lab.responder.isolated == lab.responder.blocked == []
    assert lab.mailbox.rows == {}
    assert lab.observers.heard == []
    assert {draft.strength for draft in lab.recorder.drafts} == {Strength.DECLARED}
    rulings = lab.findings.rulings(TENANT, raised.reference)
    assert {one.act.reason for one in rulings} == {Reason.DECLARED}


def test_a_file_cannot_hide_what_the_watch_finds(lab):
    first = lab.watch.declare(TENANT, finding(TAKEN))
    assert lab.watch.declare(TENANT, finding(TAKEN)) == first
    lab.see(finding(TAKEN), node())
    assert len(lab.responder.isolated) == 1
    assert lab.findings.count(TENANT) == 2


def test_a_finding_is_read_with_its_rulings_and_alerts(lab):
    lab.see(finding(TAKEN), node())
    ((raised, rulings),) = lab.watch.page(TENANT)
    assert lab.watch.one(TENANT, raised.reference) == (raised, rulings, lab.mailbox.of(TENANT, raised.reference))
    with pytest.raises(NotFound):
        lab.watch.one("other", raised.reference)


@pytest.fixture
def left(lab):
    """A finding of which every act is left to a person."""
    lab.set(Policy(isolations=0, share_percent=0, blocks=0))
    lab.see(finding(TAKEN), node())
    return next(raised for raised, _ in lab.watch.waiting(TENANT))


def test_what_was_left_to_a_person_waits_until_one_settles_it(lab, left):
    done = lab.watch.settle(PERSON, left.reference, "looked at it: a drill")
    assert done.stage.value == "published"
    assert left.reference not in {raised.reference for raised, _ in lab.watch.waiting(TENANT)}
    (draft,) = lab.recorder.named("response.settled")
    assert (draft.claims["by"], draft.strength) == (PERSON.id, Strength.DECLARED)
    assert draft.claims["acts"]
    assert "drill" not in str(draft.claims)
    assert draft.details == {"reason": "looked at it: a drill"}
    states = {one.state for one in lab.findings.rulings(TENANT, left.reference)}
    assert State.SETTLED in states
    lab.answers.sweep()
    assert lab.responder.isolated == []
    with pytest.raises(Conflict):
        lab.watch.settle(PERSON, left.reference, "again")
    assert len(lab.recorder.named("response.settled")) == 1


def test_nobody_settles_what_another_tenant_has(lab, left):
    with pytest.raises(NotFound):
        lab.watch.settle(replace(PERSON, tenant="other"), left.reference, "mine?")
    assert lab.watch.waiting("other") == []
    assert len(lab.watch.waiting(TENANT)) >= 1


def test_an_alert_that_was_given_up_waits_until_one_settles_it(lab):
    lab.notifiers.channels[0].broken = Unavailable("no")
    lab.watch.change(PERSON, 0, Policy(blocks=5))
    lab.post.deliver()
    ((delivery, state),) = lab.watch.unsent(TENANT)
    assert (delivery.attempts, state) == (1, "waiting")
    with pytest.raises(Conflict):
        lab.watch.settle(PERSON, "detection-1", "told them by telephone")  # it is still being tried
    for _ in range(40):
        lab.clock.advance(timedelta(minutes=15))
        lab.post.deliver()
    ((_, state),) = lab.watch.unsent(TENANT)
    assert state == "given-up"
    lab.watch.settle(PERSON, "detection-1", "told them by telephone")
    assert lab.watch.unsent(TENANT) == []
    (draft,) = lab.recorder.named("response.settled")
    assert draft.claims == {"about": "detection-1", "by": PERSON.id, "acts": [], "alerts": ["mail"]}


def test_nothing_is_settled_where_it_cannot_be_stated(lab, left):
    lab.broken = True
    with pytest.raises(Unavailable):
        lab.watch.settle(PERSON, left.reference, "no record")
    assert left.reference in {raised.reference for raised, _ in lab.watch.waiting(TENANT)}
