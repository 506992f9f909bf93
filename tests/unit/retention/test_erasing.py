from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, UsageError
from ringfence.retention import erasing
from ringfence.retention.erasing import Asked
from ringfence.retention.model import Fate, Scope
from ringfence.testing.home import TENANT, draft, signed
from ringfence.testing.retention import PERSONAL, commitment_of, details_of, stated, told

WHY = "a request under Article 17"


@pytest.fixture
def erase(retention, home):
    def done(**asked):
        return retention.erasing.erase(home.actor(), Asked(because=WHY, **asked))[0]

    return done


def kept_in(home):
    """Every byte that lies in the home's database files, or every row where it is on a server."""
    return home.stored()


def test_one_statement_loses_its_details_and_no_other(services, erase):
    envelope, other = told(services), told(services)
    outcome = erase(statement=str(envelope))
    assert outcome.fates == {Fate.DESTROYED: 1}
    assert details_of(services, envelope) is None
    assert details_of(services, other) is not None


def test_the_statement_names_commitments_and_nothing_else(services, erase, home):
    envelope = told(services)
    commitment = commitment_of(services, envelope)
    erase(statement=str(envelope))
    claims = stated(services, "record.erased")[-1]
    assert claims["commitments"] == [str(commitment)]
    asked = stated(services, "record.erasure_requested")[-1]
    assert (asked["by"], asked["items"]) == (home.people[Role.OWNER].id, 1)
    assert WHY not in str((claims, asked))
    request = next(s for s in services.ledger.statements(TENANT) if s.envelope.statement.claims == asked)
    assert request.opening.details == {"because": WHY, "statement": str(envelope)}


def test_a_subject_is_found_by_name_and_by_digest(services, erase):
    one = told(services, subject="person/7")
    two = told(services, subject="person/7")
    told(services, subject="person/77")
    assert erase(subject="person/7").count(Fate.DESTROYED) == 2
    assert details_of(services, one) is details_of(services, two) is None
    again = told(services, subject="person/7")
    digest = services.ledger.statements(TENANT)[-1].envelope.statement.subjects[0].digest
    erase(subject=digest.hex)
    assert details_of(services, again) is None


def test_a_person_is_found_in_claims_in_details_and_by_their_key(services, home, erase):
    engineer = home.people[Role.ENGINEER]
    named = told(services, claims={"by": engineer.id})
    within = told(services, people=[{"person": engineer.id}])
    posted, opening = signed(services, engineer, draft(details={"name": PERSONAL}))
    with services.database.transaction():
        services.outbox.admit(posted, opening, by=home.actor(Role.ENGINEER))
    services.ledger.integrate()
    other = told(services)
    erase(person=engineer.id)
    assert [details_of(services, each) for each in (named, within, posted.digest)] == [None, None, None]
    assert details_of(services, other) is not None


def test_nothing_is_left_in_the_files_of_the_database(services, home, erase):
    mark = "q7Zp-only-here"
    envelope = told(services, note=mark)
    assert mark.encode() in kept_in(home)
    erase(statement=str(envelope))
    assert mark.encode() not in kept_in(home)


def test_envelopes_and_statuses_are_as_before(services, erase):
    services.collectors["access.register"](TENANT)  # its details list everybody
    envelope = services.ledger.statements(TENANT)[-1].envelope.digest
    assert details_of(services, envelope)["people"]
    before = services.ledger.statements(TENANT)
    board = services.status.board(TENANT)
    erase(statement=str(envelope))
    after = services.ledger.statements(TENANT)[: len(before)]
    assert [one.envelope for one in after] == [one.envelope for one in before]
    assert services.status.board(TENANT).controls == board.controls
    assert services.ledger.audit().failures == ()


def test_what_names_nothing_is_refused(erase):
    for asked in ({}, {"statement": "x" * 64}, {"person": "ada"}, {"subject": "a", "person": "b"}):
        with pytest.raises(UsageError):
            erase(**asked)


def test_there_must_be_something_and_a_reason(retention, home, erase, services):
    with pytest.raises(NotFound):
        erase(subject="system/never")
    with pytest.raises(NotFound):
        erase(person="person-ffffffffffff")
    with pytest.raises(MalformedInput, match="say why"):
        retention.erasing.erase(home.actor(), Asked(subject="system/lab"))
    assert stated(services, "record.erasure_requested") == []


def test_a_hold_blocks_it(services, retention, home, erase):
    envelope = told(services)
    hold, _ = retention.place(home.actor(), Scope(family="lab"), "a court asked")
    with pytest.raises(Refused, match=hold.id):
        erase(statement=str(envelope))
    assert details_of(services, envelope) is not None
    retention.release(home.actor(), hold.id, "it is over")
    assert erase(statement=str(envelope)).count(Fate.DESTROYED) == 1


def test_a_minimum_of_law_blocks_it_once_it_applies(services, retention, clock, erase):
    clock.advance(timedelta(days=376))  # 2027-12-03
    kept, gone = told(services, "redteam.lab"), told(services)
    with pytest.raises(Refused, match="AI Act 18"):
        erase(statement=str(kept))
    fates = {verdict.fate for _, verdict in retention.erasing.plan(TENANT, Asked(subject="system/lab"))}
    assert fates == {Fate.KEPT, Fate.WANTED}
    assert erase(subject="system/lab").count(Fate.DESTROYED) == 1
    assert details_of(services, kept) is not None
    assert details_of(services, gone) is None
    assert stated(services, "record.erasure_requested")[-1]["keptByLaw"] == 1


def test_more_than_a_statement_can_name_is_refused_before_anything_happens(services, retention, home, source):
    from dataclasses import replace

    wide = replace(retention.runner, sources=(source,))
    for number in range(erasing.MOST + 1):
        source.put(f"{number}", "details-other", services.clock.now(), names=frozenset({"ada"}))
    with pytest.raises(UsageError, match="narrower"):
        replace(retention.erasing, runner=wide).erase(home.actor(), Asked(subject="ada", because=WHY))
    assert source.destroyed == []


def test_an_erasure_can_be_erased(services, erase):
    first = told(services)
    erase(statement=str(first))
    request = next(
        s for s in services.ledger.statements(TENANT) if "erasure_requested" in s.envelope.statement.predicate
    )
    erase(statement=str(request.envelope.digest))
    assert details_of(services, request.envelope.digest) is None
