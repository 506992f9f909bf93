from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.identity.model import LEAVER_GRACE
from ringfence.identity.service import hashed
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import Conflict, MalformedInput, RingfenceError, Unauthenticated, VerificationFailed
from ringfence.storage import keyfile
from ringfence.testing.home import TENANT, signed


def enrolment(services, home, person, *, by=None):
    seed = keyfile.load(home.path / "keys" / "root.json", None).secret("root")
    root = by or replace(person, seed=seed)
    return signed(services, root, operator_enrolled(person, "file-plain", services.clock.now()))


def enrol(services, person, envelope, opening, **changes):
    given = {"name": person.name, "role": person.role, "token_hash": hashed(person.token)} | changes
    return services.identity.enrol(envelope, opening, **given)


@pytest.fixture
def person():
    return NewPerson.make("New Person", Role.AUDITOR)


def test_whom_the_root_enrolled_may_enter(services, home, person):
    enrol(services, person, *enrolment(services, home, person))
    assert services.identity.authenticate(token=person.token).role is Role.AUDITOR
    with pytest.raises(Conflict):
        enrol(services, person, *enrolment(services, home, person))


@pytest.mark.parametrize("changes", [{"role": Role.OWNER}, {"name": "Another"}, {"name": ""}, {"name": "a\x1b[2J"}])
def test_name_and_role_are_those_that_the_root_signed(services, home, person, changes):
    with pytest.raises((VerificationFailed, MalformedInput)):
        enrol(services, person, *enrolment(services, home, person), **changes)
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(token=person.token)


def test_without_its_side_record_an_enrolment_is_refused(services, home, person):
    with pytest.raises(VerificationFailed):
        enrol(services, person, enrolment(services, home, person)[0], None)


def test_only_the_root_enrols(services, home, person):
    envelope, opening = enrolment(services, home, person, by=home.people[Role.OWNER])
    with pytest.raises(RingfenceError):
        enrol(services, person, envelope, opening)
    assert services.identity.people.by_id(TENANT, person.id) is None


def remove(services, home, **changes):
    given = {"by": home.actor(), "left_at": None, "reason": "left"} | changes
    return services.identity.remove(home.people[Role.ENGINEER].id, **given)


def test_a_removal_that_is_repeated_does_not_hide_that_the_first_was_late(services, home, clock):
    left = clock.now()
    clock.advance(LEAVER_GRACE + timedelta(hours=1))
    remove(services, home, left_at=left)
    removed = services.identity.people.by_id(TENANT, home.people[Role.ENGINEER].id)
    clock.advance(timedelta(hours=1))
    remove(services, home)
    assert services.identity.people.by_id(TENANT, removed.id) == removed
    assert (removed.left_at, removed.removed_at) == (left, left + LEAVER_GRACE + timedelta(hours=1))


@pytest.mark.parametrize("credential", [{}, {"token": ""}, {"token": "x"}])
def test_strangers_are_turned_away(services, credential):
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(**credential)


def test_a_link_is_not_a_session_nor_a_token(services, home):
    link = services.identity.issue_link(home.actor())
    with pytest.raises(Unauthenticated):
        services.identity.authenticate(token=link)
    with pytest.raises(Unauthenticated):
        services.signin.sessions.caller(link)


def test_no_secret_is_kept_as_it_is(services, home):
    link = services.identity.issue_link(home.actor())
    session = services.signin.sessions.open(owner_of(services.identity.redeem(link)), Level.LINK)
    services.database.close()
    kept = home.stored()
    for secret in (link, session, home.people[Role.OWNER].token):
        assert secret.encode() not in kept
