from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence import approvals, assurance
from ringfence.compute.model import Node, NodeState, QuarantineKind, Release, ReleaseState, node_id
from ringfence.frontends.waiting import Item, Kind
from ringfence.identity.acting.model import LIFE
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId
from ringfence.testing.assurance import waiting_for
from ringfence.testing.clock import START
from ringfence.testing.compute import spec
from ringfence.testing.home import TENANT


class Queue:
    """`frontends.waiting.Waiting`, made up."""

    def __init__(self, *items):
        self.items = items

    def waiting(self, _tenant):
        return self.items


@pytest.fixture
def inbox(services):
    return assurance.inbox_of(services, Queue())


def test_nobody_is_asked_for_anything_at_first(inbox, home):
    assert [inbox(home.actor(role)) for role in Role] == [[] for _ in Role]


def test_an_own_act_and_an_open_review_wait_the_nearest_end_first(inbox, services, home):
    person = waiting_for(services, home, Role.SECURITY)
    act, review = inbox(person)
    assert (act.kind, act.due) == (Kind.TO_SIGN, services.clock.now() + LIFE)
    assert act.link.startswith("/sign/act-")
    assert review.link.startswith("/access/reviews/review-")


def test_an_act_of_somebody_else_waits_for_nobody_here(inbox, services, home):
    waiting_for(services, home, Role.SECURITY)
    (review,) = inbox(home.actor(Role.OWNER))
    assert review.link.startswith("/access/reviews/")


def test_whoever_may_decide_nothing_is_asked_for_no_decision(inbox, services, home):
    waiting_for(services, home, Role.SECURITY)
    assert inbox(home.actor(Role.ENGINEER)) == []
    assert inbox(home.actor(Role.AUDITOR)) == []


def test_an_act_that_ended_waits_no_more(inbox, services, home, clock):
    person = waiting_for(services, home, Role.SECURITY)
    clock.advance(LIFE)
    assert [item.link.split("/")[1] for item in inbox(person)] == ["access"]


def test_a_review_with_only_oneself_left_does_not_wait(services, home):
    review = services.access.reviews.start(home.actor(), 14)
    me = home.actor(Role.SECURITY)
    mine = replace(review, items=tuple(item for item in review.items if item.subject == me.id))
    assert approvals.of_review(mine, me) == []
    assert approvals.of_review(mine, home.actor(Role.OWNER))
    assert approvals.of_review(replace(review, closed_at=START), me) == []


def node(name):
    outside, subject = QuarantineKind.OUTSIDE_GUEST, Digest.of(b"node")
    state = NodeState.READY
    return Node(spec(name=name), subject, "namespaces", outside, state, state, START, START)


def asked(by, state=ReleaseState.ASKED):
    request = Digest.of(b"release")
    return Release(request, node_id("n-00000001"), TENANT, 1, PersonId(by), START, "it is clean", state)


def test_a_release_waits_for_another_person_than_who_asked_for_it(home):
    me = home.actor(Role.SECURITY)
    web = node("web")
    assert approvals.of_releases(web, [asked(me.id)], me) == []
    (item,) = approvals.of_releases(web, [asked("person-00000000000a")], me)
    assert (item.kind, item.link) == (Kind.TO_SIGN, "/nodes/web")
    assert item.command == f"ringfence node release web --approve {Digest.of(b'release')}"
    assert approvals.of_releases(web, [asked("person-00000000000a", ReleaseState.RELEASED)], me) == []


def test_only_the_decision_of_an_incident_is_asked_and_only_of_who_may(services, home):
    undecided = Item(Kind.UNDECIDED, "Is it significant?", "/incidents/i-00000001", START)
    clock = Item(Kind.CLOCK, "early warning", "/incidents/i-00000001", START)
    inbox = assurance.inbox_of(services, Queue(undecided, clock))
    assert inbox(home.actor(Role.SECURITY)) == [undecided]
    assert inbox(home.actor(Role.AUDITOR)) == []


def test_further_sources_are_asked_for_the_person(services, home):
    seen = []

    def source(person):
        seen.append(person)
        return [Item(Kind.TO_SIGN, "a resolution", "/decisions/r-1", START + timedelta(days=1))]

    me = home.actor(Role.MANAGEMENT)
    inbox = assurance.inbox_of(services, Queue(), source)
    assert [item.text for item in inbox(me)] == ["a resolution"]
    assert seen == [me]


def test_the_document_says_what_is_due_and_where(services, home, inbox):
    person = waiting_for(services, home, Role.SECURITY)
    document = approvals.document(inbox(person), services.clock.now())
    assert [one["kind"] for one in document["approvals"]] == ["to sign", "to sign"]
    assert document["approvals"][0]["page"].startswith("/sign/")
    assert document["approvals"][0]["command"] is None
