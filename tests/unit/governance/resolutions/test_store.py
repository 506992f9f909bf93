import pytest

from ringfence.governance.resolutions.model import Closing
from ringfence.governance.resolutions.store import ResolutionTables
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError
from ringfence.kernel.voting import Ballot, Choice, Outcome
from ringfence.testing.governing import sitting
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.databases


@pytest.fixture
def put(services, home):
    return sitting(services, home, 2).put()


def test_a_ballot_takes_the_place_of_the_one_before_and_an_end_stays(services, clock, put):
    tables, person = ResolutionTables(services.database, services.outbox.stated), next(iter(put.terms.rule.members))
    with services.database.transaction():
        for number, choice in enumerate((Choice.AGREE, Choice.ABSTAIN)):
            tables.vote(put, Ballot(person, choice, Digest.of(bytes([number]))))
    found = tables.by_id(TENANT, put.id)
    assert found.votes == {person: Ballot(person, Choice.ABSTAIN, Digest.of(b"\1"))}
    assert found.terms == put.terms
    assert tables.overdue(clock.now()) == []
    assert tables.overdue(put.terms.ends_at) == [(TENANT, put.id)]
    closing = Closing(clock.now(), Outcome.REJECTED, Digest.of(b"end"))
    with services.database.transaction():
        tables.hold(TENANT, put.id)
        tables.close(put, closing)
        with pytest.raises(InternalError, match="twice"):
            tables.close(put, closing)
    assert tables.by_id(TENANT, put.id).closing == closing
    assert tables.overdue(put.terms.ends_at) == []
    assert tables.tenants() == []  # it was rejected
    assert [one.id for one in tables.all(TENANT)] == [put.id]
    assert tables.all("other") == []


def test_an_opening_that_was_changed_behind_our_back_is_no_resolution(services, put):
    gone = ResolutionTables(services.database, lambda _: None)
    with pytest.raises(InternalError, match="was changed"):
        gone.by_id(TENANT, put.id)
