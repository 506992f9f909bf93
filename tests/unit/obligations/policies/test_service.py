from ringfence.obligations import catalog
from ringfence.obligations.policies.model import Stand
from ringfence.obligations.policies.service import Policies
from ringfence.obligations.service import Status
from ringfence.testing.clock import FakeClock
from ringfence.testing.obligations import START, Story, StoryEvidence


def service(story):
    evidence, clock = StoryEvidence(story), FakeClock(START)
    status = Status(evidence, catalog.load(), clock, lambda _: story.demo)
    return Policies(status.catalog, status, evidence, lambda _: story.demo, clock)


def test_what_people_signed_is_shown_beside_the_status_of_now():
    story = Story(start=START)
    story.add(
        "policy.version_signed",
        {"policy": "training", "version": "1", "observes": ["log-02"]},
        subject="policy/training",
    )
    found = {one.name: one for one in service(story).all(story.tenant)}
    assert found["training"].stand is Stand.CONTRADICTED
    assert found["logging"].stand is Stand.NONE
    assert service(story).carried(story.tenant) == ()


def test_a_demo_signature_counts_in_a_demo_tenant_alone():
    for demo, stand in ((True, Stand.IN_FORCE), (False, Stand.NONE)):
        story = Story(start=START, demo=demo)
        story.add("policy.version_signed", {"policy": "training"}, subject="policy/training", demo=True)
        assert {one.name: one for one in service(story).all(story.tenant)}["training"].stand is stand
