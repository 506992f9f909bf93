import dataclasses

import pytest

from ringfence.identity.reviews.model import Decision, ReviewId
from ringfence.identity.reviews.statements import decided
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, Unauthenticated, Unavailable
from ringfence.kernel.identifier import PersonId
from ringfence.testing.home import TENANT, signed


@pytest.fixture
def reviews(services):
    return services.access.reviews


@pytest.fixture
def review(reviews, home):
    return reviews.start(home.actor(), 14)


@pytest.fixture
def decide(services, reviews, home, review):
    def done(subject, decision=Decision.CONFIRMED, *, by=Role.SECURITY, about=None):
        envelope, _ = signed(services, home.people[by], decided(about or review.id, subject, decision))
        return reviews.decide(home.actor(by), review.id, envelope)

    return done


def stated(services):
    return services.ledger.statements(TENANT)[-1].envelope.statement


def test_everybody_with_access_is_in_it(services, reviews, home):
    issued = services.access.accounts.enrol(home.actor(), "ci", Role.SECURITY, frozenset({"event.ingest"}), 1)
    gone = home.people[Role.CUSTOMER].id
    services.identity.remove(gone, by=home.actor(), left_at=None, reason="left")
    subjects = {item.subject for item in reviews.start(home.actor(), 14).items}
    assert subjects == ({person.id for person in home.people.values()} - {gone}) | {issued.account.id}


def test_a_review_of_everybody_by_others_leaves_nothing_undecided(services, reviews, home, decide, review):
    for role, person in home.people.items():
        decide(person.id, by=Role.OWNER if role is Role.SECURITY else Role.SECURITY)
    reviews.close(home.actor(), review.id)
    claims = stated(services).claims
    assert (claims["undecided"], claims["confirmed"], claims["reviewers"]) == (0, len(Role), 2)


def test_nobody_reviews_their_own_access(home, decide, reviews, review):
    with pytest.raises(Refused, match="their own"):
        decide(home.people[Role.SECURITY].id, by=Role.SECURITY)
    assert reviews.one(TENANT, review.id).count(None) == len(Role)


def test_whoever_is_removed_has_no_access_any_more(services, home, decide):
    engineer = home.people[Role.ENGINEER]
    decide(engineer.id, Decision.REMOVED)
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(token=engineer.token)
    decide(engineer.id, Decision.REMOVED)  # once more changes nothing


class Killed:
    """Access whose process dies before it carries an end out."""

    def __init__(self, real):
        self.entries, self.bar = real.entries, getattr(real, "bar", None)

    def end(self, _subject, _by):
        raise SystemExit


def test_who_counts_as_removed_has_no_access_whenever_we_are_killed(services, reviews, home, review):
    engineer = home.people[Role.ENGINEER]
    killed = dataclasses.replace(reviews, access=Killed(reviews.access))
    wanted = decided(review.id, engineer.id, Decision.REMOVED)
    with pytest.raises(SystemExit):
        killed.decide(home.actor(Role.SECURITY), review.id, signed(services, home.people[Role.SECURITY], wanted)[0])
    assert reviews.one(TENANT, review.id).count(Decision.REMOVED) == 1
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(token=engineer.token)
    services.collectors["access.register"](TENANT)  # as at the next start
    assert services.identity.people.by_id(TENANT, engineer.id).removed_at is not None
    revoked = [one.envelope.statement for one in services.ledger.statements(TENANT, ("key.revoked",))]
    assert [one.claims["keyId"] for one in revoked] == [engineer.signer.key]


def test_an_access_that_cannot_be_ended_is_not_decided(services, reviews, home, review):
    class Full(Killed):
        def bar(self, _subject):
            raise Unavailable("the list of revocations cannot be written")

        def __init__(self, real):
            self.entries = real.entries

    full = dataclasses.replace(reviews, access=Full(reviews.access))
    wanted = decided(review.id, home.people[Role.ENGINEER].id, Decision.REMOVED)
    with pytest.raises(Unavailable):
        full.decide(home.actor(Role.SECURITY), review.id, signed(services, home.people[Role.SECURITY], wanted)[0])
    assert reviews.one(TENANT, review.id).count(None) == len(Role)


def test_a_removed_service_is_refused(services, reviews, home):
    issued = services.access.accounts.enrol(home.actor(), "ci", Role.SECURITY, frozenset({"event.ingest"}), 1)
    review = reviews.start(home.actor(), 14)
    wanted = decided(review.id, issued.account.id, Decision.REMOVED)
    reviews.decide(home.actor(Role.SECURITY), review.id, signed(services, home.people[Role.SECURITY], wanted)[0])
    with pytest.raises(Unauthenticated):
        services.access.accounts.authenticate(issued.secret)


def test_who_left_meanwhile_is_gone_and_not_undecided(services, reviews, home, review):
    services.identity.remove(home.people[Role.AUDITOR].id, by=home.actor(), left_at=None, reason="left")
    reviews.close(home.actor(), review.id)
    claims = stated(services).claims
    assert (claims["gone"], claims["undecided"]) == (1, len(Role) - 1)


def test_a_late_end_is_said(services, reviews, home, review, clock):
    clock.advance(review.due_at - clock.now())
    clock.advance(review.due_at - review.started_at)
    reviews.close(home.actor(), review.id)
    assert stated(services).claims["late"] is True


def test_a_decision_is_signed_by_who_decides(services, reviews, home, review):
    person = home.people[Role.AUDITOR].id
    envelope, _ = signed(services, home.people[Role.OWNER], decided(review.id, person, Decision.CONFIRMED))
    with pytest.raises(Refused):
        reviews.decide(home.actor(Role.SECURITY), review.id, envelope)
    assert reviews.one(TENANT, review.id).count(None) == len(Role)


def test_what_is_not_in_it_is_not_decided(decide, reviews, home):
    with pytest.raises(NotFound):
        decide(PersonId("person-ffffffffffff"))
    with pytest.raises(MalformedInput):
        decide(home.people[Role.AUDITOR].id, about="review-ffffffffffff")
    with pytest.raises(NotFound):
        reviews.one(TENANT, ReviewId("review-ffffffffffff"))


def test_a_closed_review_takes_nothing_and_one_is_open_at_a_time(reviews, home, review, decide):
    with pytest.raises(Conflict, match="open already"):
        reviews.start(home.actor(), 14)
    reviews.close(home.actor(), review.id)
    with pytest.raises(Conflict):
        decide(home.people[Role.AUDITOR].id)
    with pytest.raises(Conflict):
        reviews.close(home.actor(), review.id)
    assert reviews.start(home.actor(), 1)


@pytest.mark.parametrize("days", [0, 91])
def test_the_due_date_is_bounded(reviews, home, days):
    with pytest.raises(MalformedInput):
        reviews.start(home.actor(), days)
