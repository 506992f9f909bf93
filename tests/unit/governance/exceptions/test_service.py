from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.exceptions import statements
from ringfence.governance.exceptions.model import ExceptionId, State
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.testing.home import TENANT
from ringfence.testing.judging import EXCEPTION, WANTED, Signers, in_days

ENGINEER, SECURITY, MANAGEMENT = Role.ENGINEER, Role.SECURITY, Role.MANAGEMENT


@pytest.fixture
def people(services, home):
    return Signers(services, home)


@pytest.fixture
def exceptions(services):
    return services.judgements.exceptions


def ask(people, exceptions, role=ENGINEER, **changes):
    wanted = replace(WANTED, owner=people.actor(ENGINEER).id)
    draft = statements.requested(replace(wanted, **changes))
    return exceptions.request(people.actor(role), *people.file(role, draft))


def approve(people, exceptions, role=SECURITY, request=None):
    draft = statements.approved(EXCEPTION, request or exceptions.one(TENANT, EXCEPTION).request)
    return exceptions.approve(people.actor(role), EXCEPTION, people.passkey(role, draft)[0])


def end(people, exceptions, role=ENGINEER):
    draft = statements.ended(EXCEPTION, "Not needed any more.")
    return exceptions.end(people.actor(role), EXCEPTION, *people.file(role, draft))


def state(exceptions, clock):
    return exceptions.one(TENANT, EXCEPTION).state(clock.now())


def test_one_person_asks_another_approves_and_somebody_ends_it(people, exceptions, clock):
    assert ask(people, exceptions).stage is Stage.PUBLISHED
    assert state(exceptions, clock) is State.WAITING
    approve(people, exceptions)
    assert state(exceptions, clock) is State.IN_FORCE
    end(people, exceptions)
    assert state(exceptions, clock) is State.ENDED
    with pytest.raises(Conflict, match="is ended already"):
        end(people, exceptions)
    assert len(exceptions.all(TENANT)) == 1


def test_nobody_approves_an_own_exception(people, exceptions, clock):
    ask(people, exceptions, role=SECURITY)
    with pytest.raises(Refused, match="another person does"):
        approve(people, exceptions, role=SECURITY)
    with pytest.raises(Refused, match="another person does"):  # the owner
        approve(people, exceptions, role=ENGINEER)
    assert state(exceptions, clock) is State.WAITING


@pytest.mark.parametrize("days", [0, -3, 366])
def test_an_exception_ends_within_a_year(people, exceptions, days):
    with pytest.raises(Refused, match="within 1 to 365 days"):
        ask(people, exceptions, until=in_days(days))
    assert exceptions.all(TENANT) == []
    ask(people, exceptions, until=in_days(365))


def test_what_has_run_out_is_shown_as_expired_and_cannot_be_approved(people, exceptions, clock):
    ask(people, exceptions, until=in_days(2))
    approve(people, exceptions)
    clock.advance(timedelta(days=3))
    assert state(exceptions, clock) is State.EXPIRED
    with pytest.raises(Conflict, match="it is expired"):
        approve(people, exceptions, role=MANAGEMENT)


def test_a_request_names_controls_that_there_are_and_says_why(people, exceptions):
    with pytest.raises(MalformedInput, match="not known"):
        ask(people, exceptions, control="XXX-99")
    with pytest.raises(MalformedInput, match="reason"):
        ask(people, exceptions, reason="")
    ask(people, exceptions)
    with pytest.raises(Conflict, match="asked for already"):
        ask(people, exceptions)


def test_an_approval_is_of_what_was_asked(people, exceptions):
    ask(people, exceptions)
    other = exceptions.one(TENANT, EXCEPTION).request.of(b"another")
    with pytest.raises(Refused, match="another request"):
        approve(people, exceptions, request=other)
    draft = statements.approved(EXCEPTION, exceptions.one(TENANT, EXCEPTION).request)
    with pytest.raises(Refused, match="another exception"):
        exceptions.approve(
            people.actor(SECURITY), ExceptionId("exception-ffffffffffff"), people.passkey(SECURITY, draft)[0]
        )


def test_what_was_there_at_a_time_is_what_is_shown_of_it(people, exceptions, clock):
    with pytest.raises(NotFound):
        exceptions.one(TENANT, EXCEPTION)
    before = clock.now()
    clock.advance(timedelta(hours=1))
    ask(people, exceptions)
    assert exceptions.all(TENANT, before) == []
    assert len(exceptions.all(TENANT, clock.now())) == 1
