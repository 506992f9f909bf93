from datetime import timedelta

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.obligations import board, catalog
from ringfence.obligations.records import Records
from ringfence.obligations.results import State
from ringfence.obligations.service import Status
from ringfence.testing.clock import FakeClock
from ringfence.testing.obligations import Story, StoryEvidence, meeting

CATALOG = catalog.load()
HEARTBEAT = CATALOG.requirements["log-06.heartbeat"]


def beat(story, **claims):
    return story.add(HEARTBEAT.evidence, meeting(HEARTBEAT) | claims, role=KeyRole.CONTROL_PLANE)


def opened(*stories, demo=()):
    clock = FakeClock(max(story.now for story in stories))
    evidence = StoryEvidence(*stories)
    return Status(evidence, CATALOG, clock, lambda tenant: tenant in demo), evidence, clock


def scratch(story, at):
    return board.compute(CATALOG, Records.of(story.tenant, story.statements), at)


def state(found, name="LOG-06"):
    return next(r.verdict.state for r in found.controls if r.control.id == name)


def test_keeping_up_gives_what_starting_over_gives():
    story = Story()
    service, evidence, clock = opened(story)
    for count in (1, 0, 3, 63, 64, 65, 130):
        for number in range(count):
            beat(story, unexplained=number % 2)
        clock.advance(story.now - clock.now())
        assert service.board(story.tenant) == scratch(story, story.now)
        assert service._kept[story.tenant][0] == Records.of(story.tenant, story.statements)
    assert evidence.asked == 1


def test_an_event_about_keys_starts_over():
    story = Story()
    beat(story)
    service, evidence, clock = opened(story)
    service.board(story.tenant)
    story.add("key.revoked", {}, role=KeyRole.ROOT)
    beat(story)
    clock.advance(story.now - clock.now())
    service.board(story.tenant)
    assert evidence.asked == 2


def test_time_alone_changes_the_answer():
    story = Story()
    beat(story)
    service, _, clock = opened(story)
    assert state(service.board(story.tenant)) is State.SATISFIED
    clock.advance(timedelta(days=1))
    assert state(service.board(story.tenant)) is State.NOT_SATISFIED


def test_another_time_is_computed_from_what_was_known_then():
    story = Story()
    beat(story)
    then = story.now
    beat(story, unexplained=1)
    service, evidence, _ = opened(story)
    assert state(service.board(story.tenant)) is State.NOT_SATISFIED
    assert service.board(story.tenant, then) == scratch(story, then)
    assert state(service.board(story.tenant, then)) is State.SATISFIED
    assert evidence.asked == 1  # the past is in what is kept already
    assert state(service.board(story.tenant, story.now + timedelta(days=99))) is State.NOT_SATISFIED


def test_the_past_is_read_again_where_a_revocation_came_later():
    story = Story()
    beat(story)
    then = story.now
    story.add("key.revoked", {}, role=KeyRole.ROOT)
    service, evidence, _ = opened(story)
    assert service.board(story.tenant, then) == scratch(story, then)
    assert evidence.asked == 2


def test_a_later_enrolment_changes_nothing_in_the_past():
    story = Story()
    beat(story)
    then = story.now
    story.add("key.enrolled", {}, role=KeyRole.ROOT)
    service, evidence, _ = opened(story)
    assert service.board(story.tenant, then) == scratch(story, then)
    assert evidence.asked == 1


def test_tenants_are_kept_apart():
    one, other = Story("one"), Story("other")
    beat(one)
    service, _, _ = opened(one, other)
    assert state(service.board(Tenant("one"))) is State.SATISFIED
    assert state(service.board(Tenant("other"))) is State.NOT_SATISFIED
    assert state(service.board(Tenant("nobody"))) is State.NOT_SATISFIED


def test_a_demo_tenant_is_marked():
    story = Story(demo=True)
    beat(story)
    service, _, _ = opened(story, demo={"acme"})
    found = service.board(story.tenant)
    assert found.demo
    assert state(found) is State.SATISFIED
