from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.soc.posting import LONGEST_PAUSE, MAX_ATTEMPTS, pause
from ringfence.testing.soc import TENANT, FakeNotifier, WatchLab, alert, finding, node

TAKEN = "ssh-guessing-then-success"


@pytest.fixture
def lab():
    return WatchLab()


def channel(lab):
    return lab.notifiers.channels[0]


def test_an_alert_is_sent_and_stated_once(lab):
    lab.post.add(alert())
    lab.post.deliver()
    lab.post.deliver()
    assert channel(lab).sent == [alert()]
    (draft,) = lab.recorder.named("alert.sent")
    assert draft.claims == {"about": "f-1", "channel": "mail", "attempts": 1, "afterMillis": 0}


def test_what_fails_is_stated_and_tried_again_later(lab):
    channel(lab).broken = Unavailable("no answer")
    lab.post.add(alert())
    lab.post.deliver()
    lab.post.deliver()
    assert [draft.claims["final"] for draft in lab.recorder.named("alert.failed")] == [False]
    channel(lab).broken = None
    assert lab.post.deliver() == 0
    lab.clock.advance(pause(1))
    assert lab.post.deliver() == 1
    assert lab.recorder.named("alert.sent")[0].claims["attempts"] == 2


def test_it_is_given_up_in_the_end(lab):
    channel(lab).broken = Unavailable("no answer")
    lab.post.add(alert())
    for _ in range(MAX_ATTEMPTS + 5):
        lab.post.deliver()
        lab.clock.advance(LONGEST_PAUSE)
    assert [draft.claims["final"] for draft in lab.recorder.named("alert.failed")] == [False, True]
    assert lab.recorder.drafts[-1].claims["attempts"] == MAX_ATTEMPTS
    assert lab.mailbox.of(TENANT, "f-1")[0][1] == "given-up"


def test_one_dead_channel_does_not_hold_up_the_other(lab):
    lab.notifiers.channels.append(FakeNotifier("webhook"))
    channel(lab).broken = Unavailable("no answer")
    lab.post.add(alert())
    lab.post.deliver()
    assert lab.notifiers.channels[1].sent == [alert()]


def test_with_a_full_disk_the_alert_goes_out_and_is_stated_afterwards(lab):
    lab.broken = True
    lab.see(finding(TAKEN), node())
    lab.post.deliver()
    assert len(channel(lab).sent) == 1
    assert lab.recorder.drafts == []
    lab.broken = False
    lab.answers.sweep()
    lab.post.deliver()
    assert len(channel(lab).sent) == 1
    assert len(lab.recorder.named("alert.sent")) == 1
    assert lab.post.handed == set()


def test_an_urgent_alert_is_tried_again_from_memory(lab):
    lab.broken = True
    channel(lab).broken = Unavailable("no answer")
    lab.post.urgently(alert())
    lab.post.deliver()
    channel(lab).broken = None
    lab.clock.advance(timedelta(seconds=2))
    assert lab.post.overdue(lab.clock.now())
    lab.post.deliver()
    assert channel(lab).sent == [alert()]


def test_an_alert_in_memory_is_not_sent_a_second_time_from_the_box(lab):
    lab.broken = True
    channel(lab).broken = Unavailable("no answer")
    lab.see(finding(TAKEN), node())
    lab.post.deliver()
    lab.broken, channel(lab).broken = False, None
    lab.answers.sweep()
    lab.post.deliver()
    lab.clock.advance(timedelta(seconds=5))
    lab.post.deliver()
    assert len(channel(lab).sent) == 1


def test_a_broken_list_of_channels_stops_nothing_but_the_alert(lab):
    lab.notifiers.of = _refuse
    lab.see(finding(TAKEN), node())
    assert len(lab.responder.isolated) == 1
    lab.post.deliver()
    assert lab.recorder.named("alert.failed")[0].claims["channel"] == "unconfigured"


def _refuse(_tenant):
    raise MalformedInput("the file of channels is wrong")


def test_pauses_double_up_to_a_limit():
    assert [pause(n).total_seconds() for n in (1, 2, 3, 40)] == [2, 4, 8, 900]
