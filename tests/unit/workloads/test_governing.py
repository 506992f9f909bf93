"""Who the body is, what is in force, what the log holds: over a real installation."""

from datetime import timedelta

import pytest

from ringfence.governance.resolutions.model import Head, MeasureSet
from ringfence.governance.resolutions.statements import MEASURED
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.model import Standing
from ringfence.testing.governing import join
from ringfence.testing.home import TENANT
from ringfence.testing.obligations import CONTROL_PLANE, Story, StoryEvidence
from ringfence.workloads.governing import POLICY, SELECTED, TRIAGE, InForce, ProofChips


@pytest.fixture
def record(services):
    def stated(predicate, **claims):
        about = (Subject("policy/lab", Digest.of(b"lab")),)
        with services.ledger.publishable():
            done = services.outbox.record(Draft(predicate, about, claims, Strength.DOCUMENTED), tenant=TENANT)
        services.ledger.integrate()
        return done.envelope

    return stated


def test_the_body_is_whoever_has_the_role_now(services, home):
    body, (first, second) = services.governing.body, (home.people[Role.MANAGEMENT], join(services, home, "Another"))
    assert set(body.members(TENANT)) == {first.id, second.id}
    assert body.members(TENANT)[second.id].name == "Another"
    services.identity.remove(first.id, by=home.actor(), left_at=None, reason="left")
    assert set(body.members(TENANT)) == {second.id}
    assert body.members("other") == {}


def test_what_is_in_force_is_the_rules_the_profile_and_each_policys_newest_version(services):
    assert services.governing.matters.measures(TENANT) == MeasureSet(services.status.catalog.digest)
    rules, story = Digest.of(b"rules"), Story()
    matters = InForce(lambda: rules, StoryEvidence(story))
    for policy, version in (("backup", "1"), ("access", "4"), ("backup", "2")):
        story.add(POLICY, {"policy": policy, "version": version})
    story.add(SELECTED, {"profile": "health"})
    assert matters.measures(story.tenant) == MeasureSet(rules, ("access 4", "backup 2", "profile health"))
    others = InForce(lambda: Digest.of(b"other"), StoryEvidence(story))
    assert others.measures(story.tenant).digest != matters.measures(story.tenant).digest


def test_no_service_puts_measures_in_force():
    story = Story()
    matters = InForce(lambda: Digest.of(b"rules"), StoryEvidence(story))
    story.add(POLICY, {"policy": "backup", "version": "9"}, role=CONTROL_PLANE)
    story.add(SELECTED, {"profile": "none"}, role=CONTROL_PLANE)
    story.add(SELECTED, {"profile": "none"}, standing=Standing.REVOKED)
    assert matters.measures(story.tenant) == MeasureSet(Digest.of(b"rules"))


def test_significant_incidents_are_counted_once_each():
    story = Story()
    matters = InForce(lambda: Digest.of(b"rules"), StoryEvidence(story))
    for incident, significant in (("i-00000001", True), ("i-00000001", True), ("i-00000002", False)):
        story.add(TRIAGE, {"incident": incident, "significant": significant})
    assert matters.significant_incidents(story.tenant, None) == 1
    assert matters.significant_incidents(story.tenant, story.now + timedelta(seconds=1)) == 0


def test_a_control_says_what_it_asks(services):
    found = services.governing.controls(TENANT, "GOV-05")
    assert (found["title"], found["state"]) == ("Management approval of measures", "not-satisfied")
    with pytest.raises(NotFound):
        services.governing.controls(TENANT, "ZZZ-99")


def test_the_log_knows_its_heads_and_a_tenants_own_entries(services, record):
    stated, envelope = services.governing.stated, record(MEASURED, inForce="a", approved="b", policies=1)
    head = stated.head()
    assert stated.is_head(head)
    assert not stated.is_head(Head(head.size, "0" * 64))
    assert not stated.is_head(Head(head.size + 1, head.root))
    entry = services.ledger.entry_of(envelope)
    assert stated.digests(TENANT, [entry]) == [envelope]
    assert stated.entries(TENANT, [envelope, Digest.of(b"none")]) == {envelope: entry}
    assert stated.entries("other", [envelope]) == {}
    with pytest.raises(NotFound):
        stated.digests("other", [entry])
    assert stated.envelope(envelope).digest == envelope
    assert stated.details(TENANT, [envelope]) == {}


def test_a_chip_shows_what_is_in_the_log(services, record):
    chips, envelope = ProofChips(services.ledger), record(MEASURED, inForce="a", approved="b", policies=1)
    assert chips(TENANT, envelope).entry == services.ledger.entry_of(envelope)
    assert chips(TENANT, Digest.of(b"none")) is None
    assert chips("other", envelope) is None
