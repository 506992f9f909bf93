from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.kernel.identifier import PersonId
from ringfence.retention.erasing import Asked
from ringfence.retention.model import HoldId, Scope
from ringfence.testing.home import TENANT
from ringfence.testing.retention import commitment_of, stated, told

DAY = timedelta(days=1)
NOBODY = PersonId("person-ffffffffffff")


def test_a_hold_is_stated_without_whom_and_why(services, retention, home):
    who = home.people[Role.AUDITOR].id
    hold, done = retention.place(home.actor(), Scope(person=who, family="access"), "a court asked")
    claims = stated(services, "retention.hold_placed")[-1]
    assert (claims["hold"], claims["person"], claims["family"]) == (hold.id, True, "access")
    assert who not in str(claims)
    logged = services.ledger.page(TENANT, before=done.entry + 1, limit=1)[0]
    assert logged.opening.details == {"because": "a court asked", "person": who}


def test_a_released_hold_stays_on_the_list(services, retention, home):
    hold, _ = retention.place(home.actor(), Scope(family="incident"), "a court asked")
    retention.release(home.actor(Role.MANAGEMENT), hold.id, "it is over")
    (found,) = retention.holds(TENANT)
    assert (found.released_by, found.released_at) == (home.people[Role.MANAGEMENT].id, services.clock.now())
    assert stated(services, "retention.hold_released")[-1]["placedBy"] == home.people[Role.OWNER].id
    with pytest.raises(Conflict, match="released already"):
        retention.release(home.actor(), hold.id, "again")


def test_a_hold_names_something_that_there_is(retention, home, clock):
    with pytest.raises(MalformedInput, match="names"):
        retention.place(home.actor(), Scope(), "a court asked")
    with pytest.raises(MalformedInput, match="say why"):
        retention.place(home.actor(), Scope(family="incident"), "")
    with pytest.raises(MalformedInput, match="ends before"):
        retention.place(home.actor(), Scope(start=clock.now(), end=clock.now() - DAY), "a court asked")
    with pytest.raises(NotFound, match="nobody here"):
        retention.place(home.actor(), Scope(person=NOBODY), "a court asked")
    with pytest.raises(NotFound):
        retention.release(home.actor(), HoldId("hold-ffffffffffff"), "it is over")
    assert list(retention.holds(TENANT)) == []


def test_details_say_until_when_they_stay(services, retention, home, clock):
    envelope = told(services)
    commitment = commitment_of(services, envelope)
    assert retention.fate(TENANT, commitment).startswith("Details kept until 2029-11-21")
    hold, _ = retention.place(home.actor(), Scope(family="lab"), "a court asked")
    assert hold.id in retention.fate(TENANT, commitment)
    retention.release(home.actor(), hold.id, "it is over")
    clock.advance(1096 * DAY)
    assert "next sweep" in retention.fate(TENANT, commitment)
    retention.sweeper.sweep(TENANT)
    assert retention.fate(TENANT, commitment).startswith("Details erased on 2029-11-22, because their period was over")


def test_what_was_erased_on_request_says_so(services, retention, home):
    envelope = told(services)
    retention.erasing.erase(home.actor(), Asked(statement=str(envelope), because="asked"))
    assert "somebody asked" in retention.fate(TENANT, commitment_of(services, envelope))


def test_details_that_vanished_by_themselves_are_not_said_to_be_erased(retention):
    assert retention.fate(TENANT, Digest.of(b"never here")) == ""


def test_the_overview_counts_what_is_there_and_what_is_due(services, retention, clock):
    told(services)
    before = retention.one(TENANT, "details-other")
    assert (before.tally.count, before.due, before.held) == (1, 0, 0)
    clock.advance(1096 * DAY)
    assert retention.one(TENANT, "details-other").due == 1
    retention.sweeper.sweep(TENANT)
    assert retention.one(TENANT, "details-other").tally.count == 0
    assert retention.last_sweep(TENANT) == clock.now()
    with pytest.raises(NotFound):
        retention.one(TENANT, "nothing")
