from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.obligations import catalog
from ringfence.obligations.comparing.model import Other
from ringfence.obligations.comparing.service import MAX_FILE, Comparing
from ringfence.obligations.difference import told
from ringfence.obligations.service import Status
from ringfence.testing.clock import FakeClock
from ringfence.testing.obligations import Story, StoryEvidence

RULES = catalog.load()
NAME = "log-06.heartbeat"
GIVEN = PredicateName("opinion.given")


def comparing(story: Story, clock: Clock, other: Other = None) -> Comparing:
    evidence = StoryEvidence(story)
    status = Status(evidence, RULES, clock, lambda _tenant: False)
    return Comparing(status, RULES, evidence, (GIVEN,), lambda _data: other, clock)


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def clock(story):
    made = FakeClock()
    made.advance(story.now - made.now())
    return made


def rule(**fields):
    return replace(
        RULES,
        digest=Digest.of(b"other"),
        requirements=RULES.requirements | {NAME: replace(RULES.requirements[NAME], **fields)},
    )


def heard(story, clock):
    story.add(
        "log.heartbeat", {"sources": 1, "statements": 9, "gaps": 0, "unexplained": 0, "late": 0}, role=role_of(NAME)
    )
    clock.advance(timedelta(minutes=1))


def role_of(name):
    return next(iter(RULES.requirements[name].issuers))


def test_a_status_by_other_rules_is_of_the_same_time_and_the_same_records(story, clock):
    heard(story, clock)
    other = Other.whole("edition", rule(conditions=(), freshness=timedelta(seconds=1)))
    found = comparing(story, clock, other).with_file(story.tenant, b"x", None)
    assert found.here.as_of == found.there.as_of == clock.now()
    stale = [part for result in found.there.controls for part in result.requirements if part.requirement.id == NAME]
    fresh = [part for result in found.here.controls for part in result.requirements if part.requirement.id == NAME]
    assert (stale[0].verdict.reason, fresh[0].verdict.reason) == ("stale", None)


def test_other_rules_may_ask_for_statements_that_ours_never_read(story, clock):
    story.add("our.own_thing", {"result": "pass"}, role=role_of(NAME))
    clock.advance(timedelta(minutes=1))
    other = Other.whole("edition", rule(evidence=PredicateName("our.own_thing"), conditions=()))
    found = comparing(story, clock, other).with_file(story.tenant, b"x", None)
    (part,) = [p for result in found.there.controls for p in result.requirements if p.requirement.id == NAME]
    assert [support.entry for support in part.rests_on] == [0]


def test_what_is_kept_of_our_own_status_stays_ours(story, clock):
    heard(story, clock)
    service = comparing(story, clock, Other.whole("edition", rule(freshness=timedelta(seconds=1), conditions=())))
    before = service.status.board(story.tenant)
    service.with_file(story.tenant, b"x", None)
    after = service.status.board(story.tenant)
    assert (after.rules, after.controls) == (before.rules, before.controls)


def test_another_time_is_the_same_for_both(story, clock):
    clock.advance(timedelta(hours=2))
    at = clock.now()
    clock.advance(timedelta(hours=2))
    story.wait(timedelta(hours=3))
    heard(story, clock)
    found = comparing(story, clock, Other.whole("edition", rule(asks="other"))).with_file(story.tenant, b"x", at)
    assert (found.here.as_of, found.there.as_of) == (at, at)
    assert found.moved == ()


def test_of_a_part_nothing_is_computed(story, clock):
    found = comparing(story, clock, Other("pack", told(rule(asks="other")))).with_file(story.tenant, b"x", None)
    assert found.there is None
    assert {change.field for change in found.found.changed} == {"asks"}


def test_as_shipped_nothing_differs_without_files_of_a_team(story, clock):
    found = comparing(story, clock).with_shipped(story.tenant, None)
    assert (bool(found.found), found.moved) == (False, ())


def test_a_file_that_is_too_large_is_not_read(story, clock):
    with pytest.raises(MalformedInput, match=str(MAX_FILE)):
        comparing(story, clock).with_file(story.tenant, bytes(MAX_FILE + 1), None)


def test_versions_that_opinions_name_are_known(story, clock):
    story.add(GIVEN, {"rulesDigest": str(Digest.of(b"old"))})
    clock.advance(timedelta(minutes=1))
    found = comparing(story, clock).versions(story.tenant, None)
    assert [one.digest for one in found] == [RULES.digest, Digest.of(b"old")]
    assert len(comparing(story, clock).versions(story.tenant, clock.now() - timedelta(days=1))) == 1
