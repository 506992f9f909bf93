from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.opinions import statements
from ringfence.governance.opinions.model import State, Verdict
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.testing.home import TENANT
from ringfence.testing.judging import GIVEN, OPINION, Signers, in_days

AUDITOR = Role.AUDITOR


@pytest.fixture
def people(services, home):
    return Signers(services, home)


@pytest.fixture
def opinions(services):
    return services.judgements.opinions


def give(people, opinions, sign=None, **changes):
    people.key(AUDITOR)
    now = opinions.on(TENANT, GIVEN.control)
    given = replace(GIVEN, rules=now.rules, status=now.state)
    posted = (sign or people.passkey)(AUDITOR, statements.given(replace(given, **changes)))
    return opinions.give(people.actor(AUDITOR), *posted)


def withdraw(people, opinions, role=AUDITOR):
    draft = statements.withdrawn(OPINION, "I was wrong.")
    return opinions.withdraw(people.actor(role), OPINION, *people.passkey(role, draft))


def test_an_auditor_gives_an_opinion_and_takes_it_back(people, opinions, clock):
    assert give(people, opinions, basis=(0, 1), verdict=Verdict.AGREES).stage is Stage.PUBLISHED
    assert opinions.one(TENANT, OPINION).given.basis == (0, 1)
    with pytest.raises(Conflict, match="given already"):
        give(people, opinions)
    with pytest.raises(Refused, match="by whoever gave it"):
        withdraw(people, opinions, role=Role.OWNER)
    withdraw(people, opinions)
    assert opinions.one(TENANT, OPINION).state(clock.now()) is State.WITHDRAWN
    with pytest.raises(Conflict, match="withdrawn already"):
        withdraw(people, opinions)
    assert len(opinions.all(TENANT)) == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not AUDITOR])
def test_nobody_but_an_auditor_may_give_one(services, home, role):
    assert not services.identity.policies.allows(home.actor(role), "opinion.give")
    assert services.identity.policies.allows(home.actor(AUDITOR), "opinion.give")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGEMENT])
def test_nobody_but_management_may_accept_a_risk(services, home, role):
    assert not services.identity.policies.allows(home.actor(role), "risk.accept")
    assert services.identity.policies.allows(home.actor(Role.MANAGEMENT), "risk.accept")


def refused(people, opinions, error, words, **changes):
    with pytest.raises(error, match=words):
        give(people, opinions, **changes)
    assert opinions.all(TENANT) == []


def test_an_opinion_takes_a_passkey_an_end_and_the_status_that_it_is_about(people, opinions):
    refused(people, opinions, Refused, "signed with a passkey", sign=people.file)
    refused(people, opinions, Refused, "within 1 to 366 days", until=in_days(367))
    refused(people, opinions, Conflict, "look at it again", status="satisfied")
    refused(people, opinions, Conflict, "look at it again", rules=Digest.of(b"older"))
    refused(people, opinions, Refused, "no statement at entry 4000", basis=(0, 4000))
    refused(people, opinions, MalformedInput, "not known", control="XXX-99")
    refused(people, opinions, MalformedInput, "sentence", sentence="")
    with pytest.raises(NotFound):
        opinions.on(TENANT, "XXX-99")


def test_it_is_shown_as_of_a_time(people, opinions, clock):
    before = clock.now()
    clock.advance(timedelta(hours=1))
    give(people, opinions, until=in_days(366))
    assert opinions.all(TENANT, before) == []
    assert [one.id for one in opinions.all(TENANT, clock.now())] == [OPINION]
