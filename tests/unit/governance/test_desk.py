"""What two people and a passkey are asked for; the same use cases that the pages and the terminal call."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.desk import check_same
from ringfence.governance.exceptions import statements
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength
from ringfence.testing.home import TENANT
from ringfence.testing.judging import EXCEPTION, WANTED, Signers

ENGINEER, SECURITY = Role.ENGINEER, Role.SECURITY


@pytest.fixture
def people(services, home):
    return Signers(services, home)


@pytest.fixture
def exceptions(services):
    return services.judgements.exceptions


@pytest.fixture
def request_(people, exceptions):
    draft = statements.requested(replace(WANTED, owner=people.actor(ENGINEER).id))
    exceptions.request(people.actor(ENGINEER), *people.file(ENGINEER, draft))
    return exceptions.one(TENANT, EXCEPTION).request


def recorded(services):
    services.ledger.integrate()
    return len(services.ledger.statements(TENANT, statements.ALL))


def test_a_refused_signature_leaves_nothing_in_the_log(services, people, exceptions, request_):
    draft = statements.approved(EXCEPTION, request_)
    before = recorded(services)
    with pytest.raises(Refused, match="signed with a passkey"):
        exceptions.approve(people.actor(SECURITY), EXCEPTION, people.file(SECURITY, draft)[0])
    assert recorded(services) == before


def test_a_young_passkey_is_no_second_person_where_two_have_older_ones(people, exceptions, request_, clock):
    clock.advance(timedelta(days=2))
    draft = statements.approved(EXCEPTION, request_)
    with pytest.raises(Refused, match="younger than 24 hours"):
        exceptions.approve(people.actor(SECURITY), EXCEPTION, people.passkey(SECURITY, draft)[0])
    clock.advance(timedelta(days=2))
    exceptions.approve(people.actor(SECURITY), EXCEPTION, people.passkey(SECURITY, draft)[0])
    assert exceptions.one(TENANT, EXCEPTION).approval.young is False


def test_a_statement_is_not_admitted_twice_as_something_new(services, people, exceptions, request_):
    posted = people.passkey(SECURITY, statements.approved(EXCEPTION, request_))[0]
    exceptions.approve(people.actor(SECURITY), EXCEPTION, posted)
    before = recorded(services)
    with pytest.raises(Exception, match="does not wait"):
        exceptions.approve(people.actor(SECURITY), EXCEPTION, posted)
    assert recorded(services) == before


def test_what_is_signed_is_exactly_what_its_facts_say(people):
    wanted = statements.requested(WANTED)
    envelope, opening = people.file(ENGINEER, wanted)
    check_same(envelope, wanted, opening)
    for changed in (
        statements.requested(replace(WANTED, reason="another")),
        statements.requested(replace(WANTED, until=WANTED.until + timedelta(days=1))),
        statements.ended(EXCEPTION, WANTED.reason),
    ):
        with pytest.raises(MalformedInput, match="it is not the"):
            check_same(envelope, changed, opening)
    stronger, opening = people.file(ENGINEER, replace(wanted, strength=Strength.OBSERVED))
    with pytest.raises(Refused, match="documented"):
        check_same(stronger, wanted, opening)
